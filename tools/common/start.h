/* start.h: what every program here does before anything else.  Needs POSIX. */
#ifndef START_H
#define START_H

/* Makes sure that descriptors 0 to 2 are taken.  If one were free, the next file that is opened
 * would get its number, and what is meant for stdout or stderr would be written into that file.
 * Call it first in main.  Returns 0, or the exit code to leave with. */
int program_start(void);

#endif
