/* start.h: what every program here does before anything else.  Needs POSIX. */
#ifndef START_H
#define START_H

/* Makes sure that descriptors 0 to 2 are taken.  If one were free, the next file that is opened
 * would get its number, and what is meant for stdout or stderr would be written into that file.
 * Call it first in main.  Returns 0, or the exit code to leave with. */
int program_start(void);

/* Where a thread has nothing to do, GNU's OpenMP lets it spin for milliseconds; on a machine that
 * does other work too, this takes the core away from the thread it waits for, and training slows to
 * a third.  Spinning for some microseconds costs nothing.  The setting is read before main begins,
 * and no call changes it later, so that this starts the program again, once, with it.  What is
 * started is the file of this process, as the kernel knows it (/proc/self/exe), never what argv[0]
 * says; where the kernel does not tell, the program goes on as it is.  Call it second in main. */
void threads_wait_gently(char **argv);

#endif
