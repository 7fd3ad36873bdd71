/* `agentbridge tasks`: the tasks of a data directory, looked at and steered from a terminal. */
#ifndef AB_APP_TASKS_COMMAND_H
#define AB_APP_TASKS_COMMAND_H

/* Runs it with the words behind "tasks"; returns the exit code: 0 done (watch: completed), 1 not, 2 the command line or
 * the configuration is wrong. */
int ab_tasks_command_run(int n_words, const char *const *words);

#endif
