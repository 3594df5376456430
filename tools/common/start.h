/* start.h: what every program here does before anything else. */
#ifndef START_H
#define START_H

/* A thread takes a quarter of a megabyte from the start; no machine that runs this has more. */
enum { MAX_THREADS = 1024 };

/* Call it first in main.
 *
 * Makes sure that descriptors 0 to 2 are taken.  If one were free, the next file that is opened
 * would get its number, and what is meant for stdout or stderr would be written into that file.
 *
 * Refuses an OMP_NUM_THREADS that is not a list of numbers from 1 to MAX_THREADS.
 *
 * Lets threads wait gently.  Where a thread has nothing to do, GNU's OpenMP lets it spin for
 * milliseconds; on a machine that does other work too, this takes the core away from the thread it
 * waits for, and training slows to a third.  Spinning for some microseconds costs nothing.  The
 * setting is read before main begins, and no call changes it later, so that this starts the program
 * again, once, with it.  What is started is the file of this process, as the kernel knows it
 * (/proc/self/exe), never what argv[0] says; where the kernel does not tell, the program goes on as
 * it is.
 *
 * Makes the arguments UTF-8 where they are not (Windows).
 *
 * program: its name in messages.  Returns 0, or the exit code to leave with; what is wrong has been
 * said then. */
int program_start(const char *program, int *argc, char ***argv);

#endif
