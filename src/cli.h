/** The subcommands of `accord`. Each returns the process's exit status. */
#ifndef CLI_H
#define CLI_H

#include "base/config.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/** `argv` begins behind the subcommand and ends with NULL. */
typedef int cli_command(const struct config *config, char *const *argv);

cli_command cli_serve;
cli_command cli_migrate;
cli_command cli_key;
cli_command cli_rates;
cli_command cli_verify;
cli_command cli_backup;
cli_command cli_restore;
cli_command cli_settle;
cli_command cli_config;
cli_command cli_health;

/** Says on standard error how the subcommand is called; returns EXIT_USAGE. */
int cli_usage(const char *text);

#endif
