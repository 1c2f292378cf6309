// The same program in C++: its header, a function of the library, an error that it throws.
#include <gecko_mqtt.hpp>

#include <iostream>

int main() {
    std::cout << "gecko_mqtt " << gecko_mqtt_version() << '\n';
    try {
        gecko::mqtt::Client client(gecko::mqtt::Options().endpoint("not a host"));
    } catch (const gecko::mqtt::Error &error) {
        std::cout << error.what() << '\n';
        return error.status() == gecko::mqtt::Status::invalid_argument ? 0 : 1;
    }
    return 1;
}
