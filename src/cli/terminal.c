// SPDX-License-Identifier: Apache-2.0
/* terminal.c — see terminal.h. While the screen is taken, standard error that goes to the same
 * terminal is put aside: a log line would tear the board. */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

#define ENTER         "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
#define LEAVE         "\x1b[0m\x1b[?25h\x1b[?1049l"
#define WIDTH_DEFAULT 100u
#define LINES_DEFAULT 40u

static struct termios saved;
static _Atomic bool stopped, resized, suspended;
static bool taken, keys, error_aside;
static int error_saved = -1;

/* relaxed, here and below: flags of signal handlers, nothing else hangs on them. */
static void on_signal(int number)
{
    _Atomic bool *flag = number == SIGWINCH ? &resized : number == SIGTSTP ? &suspended : &stopped;
    atomic_store_explicit(flag, true, memory_order_relaxed); /* relaxed: a flag */
}

static void on_abort(int number)
{
    int keep = errno;
    if (taken) {
        (void)!write(STDOUT_FILENO, LEAVE, sizeof(LEAVE) - 1);
    }
    if (keys) {
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    }
    errno = keep;
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void catch (int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void cm_terminal_catch_signals(void)
{
    catch (SIGINT, on_signal);
    catch (SIGTERM, on_signal);
    catch (SIGHUP, on_signal);
}

bool cm_terminal_is_stopped(void)
{
    return atomic_load_explicit(&stopped, memory_order_relaxed); /* relaxed: a flag */
}

static void put_error_aside(void)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0) {
        return;
    }
    error_saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    error_aside = error_saved >= 0 && dup2(null, STDERR_FILENO) >= 0;
    (void)close(null);
}

void cm_terminal_enter(void)
{
    keys = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &saved) == 0;
    if (keys) {
        struct termios raw = saved;
        raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    }
    catch (SIGWINCH, on_signal);
    catch (SIGTSTP, on_signal);
    catch (SIGABRT, on_abort);
    put_error_aside();
    taken = true;
    (void)cm_terminal_write(ENTER, sizeof(ENTER) - 1);
}

void cm_terminal_leave(void)
{
    if (!taken) {
        return;
    }
    taken = false;
    (void)cm_terminal_write(LEAVE, sizeof(LEAVE) - 1);
    if (keys) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
        keys = false;
    }
    if (error_aside) {
        (void)dup2(error_saved, STDERR_FILENO);
        (void)close(error_saved);
        error_aside = false;
    }
    catch (SIGWINCH, SIG_DFL);
    catch (SIGTSTP, SIG_DFL);
    catch (SIGABRT, SIG_DFL);
}

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value;
    return text != NULL && cm_parse_u64(text, strlen(text), &value) && value >= 20 && value <= 1000
               ? (uint32_t)value
               : otherwise;
}

void cm_terminal_size(uint32_t *width, uint32_t *height)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *width = size.ws_col;
        *height = size.ws_row;
    } else {
        *width = from_environment("COLUMNS", WIDTH_DEFAULT);
        *height = from_environment("LINES", LINES_DEFAULT);
    }
}

bool cm_terminal_is_changed(void)
{
    /* relaxed: flags of signal handlers, nothing else hangs on them. */
    bool changed = atomic_exchange_explicit(&resized, false, memory_order_relaxed);
    if (atomic_exchange_explicit(&suspended, false, memory_order_relaxed)) {
        cm_terminal_leave();
        (void)raise(SIGSTOP);
        cm_terminal_enter();
        changed = true;
    }
    return changed;
}

size_t cm_terminal_read(char *bytes, size_t len, bool *end)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    *end = false;
    if (!keys || poll(&input, 1, 0) <= 0) {
        return 0;
    }
    ssize_t got = read(STDIN_FILENO, bytes, len);
    *end = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    return got > 0 ? (size_t)got : 0;
}

bool cm_terminal_has_keys(void)
{
    return keys;
}

bool cm_terminal_write(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(STDOUT_FILENO, bytes, len);
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&output, 1, 100);
            continue;
        }
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        if (wrote > 0) {
            bytes += wrote;
            len -= (size_t)wrote;
        }
    }
    return true;
}
