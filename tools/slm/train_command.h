/* train_command.h: the command of a run, taken up again from its folder. */
#ifndef TRAIN_COMMAND_H
#define TRAIN_COMMAND_H

/* The flags of a run and those given now, one after the other: what is given now counts. */
typedef struct train_command {
    char *text;   /* of run.json; the words point into it */
    char **words; /* (n) */
    int n;
} train_command;

/* Reads the flags from run.json in the folder, but for --force, and adds the argc words given now.
 * Returns an exit code (common/cli.h); train_command_free in any case. */
int train_command_load(train_command *command, const char *folder, int argc, char **argv);
void train_command_free(train_command *command);

#endif
