// The first program in C++: connect by token, hear a message, say one, leave.
//
//     quickstart_cpp [BROKER_URL_FILE [CA_FILE]]
//
// or with the environment: GECKO_MQTT_BROKER_URL, GECKO_MQTT_CA_FILE. The URL holds the token, so it comes
// from a file or from the environment, never from the command line, which anybody on the machine can read.
#include <gecko_mqtt.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <random>
#include <string>

namespace mqtt = gecko::mqtt;
using namespace std::chrono_literals;

// The broker URL: the file's first line, or without a file the environment's.
static std::string read_url(const char *path) {
    std::string url;
    if (path != nullptr) {
        std::ifstream file(path);
        std::getline(file, url);
    } else if (const char *value = std::getenv("GECKO_MQTT_BROKER_URL")) {
        url = value;
    }
    return url;
}

static void run(const char *url_file, const std::string &url, const char *ca_file) {
    mqtt::Options options;
    options.broker_url(url);
    // Called before the token expires, on a thread that may block: a real program asks its cloud for one.
    options.token_provider([url_file](mqtt::TokenRequest request) {
        request.complete(mqtt::Token::from_broker_url(read_url(url_file)));
    });
    options.on_callback_exception([](std::exception_ptr) { std::cerr << "a callback has thrown\n"; });
    if (ca_file != nullptr) // else the system's roots, which know AWS
        options.ca_file(ca_file);

    // What callbacks use comes before the client, so that it is still there while the client goes.
    const std::string own = "{\"temperature\":38.5,\"from\":" + std::to_string(std::random_device()()) + "}";
    std::promise<void> heard;
    bool told = false; // callbacks come one at a time: what only they use needs no lock

    mqtt::Client client(options); // throws the options' first error: one check serves all
    client.on_connection_state_change(
        [](mqtt::State state) { std::cout << "connection: " << state << '\n'; });
    client.connect(10s);

    auto on_message = [&](const mqtt::Message &message) {
        std::cout << message.topic() << ": " << message.text() << '\n';
        if (message.text() == own && !std::exchange(told, true))
            heard.set_value();
    };
    client.subscribe_wait("spa/42/state", mqtt::QoS::at_least_once, on_message, 5s);
    client.publish_wait({"spa/42/state", own}, 5s);
    if (heard.get_future().wait_for(10s) != std::future_status::ready)
        throw std::runtime_error("the message was published, but has not come back");
    client.disconnect(2s);
}

int main(int argc, char **argv) {
    const char *url_file = argc > 1 ? argv[1] : nullptr; // nullptr: the environment
    const char *ca_file = argc > 2 ? argv[2] : std::getenv("GECKO_MQTT_CA_FILE");
    const std::string url = read_url(url_file);
    if (url.empty()) {
        std::cerr << "no broker URL: quickstart_cpp BROKER_URL_FILE [CA_FILE], or GECKO_MQTT_BROKER_URL\n";
        return 2;
    }
    try {
        run(url_file, url, ca_file);
        return 0;
    } catch (const mqtt::Error &error) {
        std::cerr << mqtt::to_string(error.status()) << ": " << error.what() << '\n';
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
    }
    return 1;
}
