/* `agentbridge webhooks`: what of a data directory is still to be delivered or was given up, and sending it again. */
#ifndef AB_APP_WEBHOOKS_COMMAND_H
#define AB_APP_WEBHOOKS_COMMAND_H

/* Runs it with the words behind "webhooks"; returns the exit code: 0 done, 1 not, 2 the command line or the
 * configuration is wrong. */
int ab_webhooks_command_run(int n_words, const char *const *words);

#endif
