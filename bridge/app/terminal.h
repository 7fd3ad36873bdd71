/* What the commands of a terminal share: where they print, and which data directory they mean. */
#ifndef AB_APP_TERMINAL_H
#define AB_APP_TERMINAL_H

#include "base/buf.h"

/* "agentbridge: REASON" on standard error; returns the code. */
int ab_terminal_fail(int code, const char *reason);
/* Prints on standard output and empties. */
void ab_terminal_print(struct ab_buf *text);
/* The text of --help; returns 0. */
int ab_terminal_help(void);
/* The directory that --config FILE or --data DIR mean (NULL where not given), owned by the caller; NULL: said why on
 * standard error. */
AB_MUST char *ab_terminal_data_directory(const char *config, const char *data);

#endif
