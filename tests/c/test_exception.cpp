// An exception that leaves a callback ends the process, as the header says: it neither goes on into the
// library nor is it lost.
#include "check.h"
#include <csignal>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

static void throwing_hook(void *) { throw std::runtime_error("from a callback"); }

int main() {
    pid_t child = fork();
    if (child == 0) {
        try {
            gecko_mqtt_on_message(nullptr, nullptr, nullptr, throwing_hook);
        } catch (...) {
            _exit(1);
        }
        _exit(2);
    }
    int status = -1;
    CHECK_IS(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return check_result();
}
