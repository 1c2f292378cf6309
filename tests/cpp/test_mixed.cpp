// A program whose files are compiled with and without exceptions: each has its own functions of the header,
// so that a callback that throws is caught wherever the linker takes functions from.
#include "../c/live.h"

#include <gecko_mqtt.hpp>

namespace mqtt = gecko::mqtt;

const void *without_exceptions(const simulator_t &sim, unsigned *calls);

int main() {
    simulator_t sim = simulator_start();
    unsigned calls = 0, told = 0;
    const void *other = without_exceptions(sim, &calls);
    CHECK(calls == 2);
    CHECK(other != reinterpret_cast<const void *>(&mqtt::detail::FunctionOf<mqtt::State>::call));

    mqtt::Options options;
    options.broker_url("mqtt://127.0.0.1:" + std::to_string(sim.plain)).dispatch(mqtt::DispatchMode::app);
    options.on_callback_exception([&](std::exception_ptr) { told++; });
    mqtt::Client client(options);
    client.on_connection_state_change([](mqtt::State) { throw 1; });
    client.connect(std::chrono::milliseconds(LIMIT_MS));
    CHECK(client.dispatch() == 2 && told == 2);
    simulator_stop(&sim);
    return 0;
}
