/* peak.h: the machine's own multiply-add limit. */
#ifndef PEAK_H
#define PEAK_H

/* Returns GFLOP/s (two operations per multiply-add) of all threads together: the best of many short
 * runs, because a limit must not move with other people's work on the machine. */
double peak_gflops(int threads);

#endif
