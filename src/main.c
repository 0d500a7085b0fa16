/* `accord`: the service and its tools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct {
    const char *name;
    cli_command *run;
    const char *help;
} commands[] = {
    {"serve", cli_serve, "run the service"},
    {"migrate", cli_migrate, "bring the databases to this program's schema"},
    {"key", cli_key, "create, list or revoke API keys"},
    {"rates", cli_rates, "load published exchange rates"},
    {"verify", cli_verify, "compute every result again from the journal and compare"},
    {"backup", cli_backup, "copy the books to a file, while they are served"},
    {"restore", cli_restore, "put such a copy in the place of the books"},
    {"settle", cli_settle, "compute a statement again from its inputs, offline"},
    {"config", cli_config, "print the settings in force"},
    {"health", cli_health, "ask a running service whether it is well"},
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: accord COMMAND\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
    fprintf(out, "  %-8s  %s\n  %-8s  %s\n\n", "help", "print this", "version",
            "print the version");
    fprintf(out, "Settings are environment variables ACCORD_...; `accord config` lists them.\n");
}

int cli_usage(const char *text)
{
    fprintf(stderr, "usage: accord %s\n", text);
    return EXIT_USAGE;
}

static int run(cli_command *command, char *const *argv)
{
    char why[CONFIG_WHY_MAX];
    struct config config;
    if (config_load(NULL, NULL, &config, why) != ACCORD_OK) {
        fprintf(stderr, "accord: %s\n", why);
        return EXIT_FAILED;
    }
    const int status = command(&config, argv);
    config_done(&config);
    return status;
}

/* Output that did not get out is a failure: a full disk behind `> file`. */
static int flushed(int status)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? status : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0)
            return flushed(run(commands[i].run, argv + 2));
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return flushed(EXIT_OK);
    }
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("accord " ACCORD_VERSION "\n");
        return flushed(EXIT_OK);
    }
    print_help(stderr);
    return EXIT_USAGE;
}
