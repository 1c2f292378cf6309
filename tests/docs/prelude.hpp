// What the fragments of C++ in the documentation take for granted.
#include <cstdlib>
#include <gecko_mqtt.hpp>
#include <iostream>

namespace mqtt = gecko::mqtt;
using namespace std::chrono_literals;
