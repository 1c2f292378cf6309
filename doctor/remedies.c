#include "remedies.h"
#include <stddef.h>

const char *remedy_of(gecko_mqtt_status_t status) {
    switch (status) {
    case GECKO_MQTT_ERR_DNS:
        return "Check the host name. If it is right, check the device's name servers (/etc/resolv.conf) and "
               "whether it is on the network at all.";
    case GECKO_MQTT_ERR_CONNECTION_REFUSED:
        return "Check host and port: AWS IoT Core has 8883 for certificates and 443 for both. A firewall may "
               "refuse the port: try --port 443.";
    case GECKO_MQTT_ERR_UNREACHABLE:
        return "Check cable, Wi-Fi or SIM, the default route, and the gateway.";
    case GECKO_MQTT_ERR_CONNECT_TIMEOUT:
        return "A firewall may drop what is sent, or the server is overloaded. Try --port 443, or a longer "
               "--timeout.";
    case GECKO_MQTT_ERR_TLS:
        return "Check the port, and whether a proxy, a captive portal or a firewall answers in the server's "
               "place.";
    case GECKO_MQTT_ERR_TLS_ALPN:
        return "Leave --alpn out, so that it follows from the credentials; or try --port 8883 with a "
               "certificate.";
    case GECKO_MQTT_ERR_TLS_HOSTNAME:
        return "Use the endpoint as AWS gives it (aws iot describe-endpoint --endpoint-type iot:Data-ATS), "
               "never an IP address.";
    case GECKO_MQTT_ERR_TLS_EXPIRED:
        return "If this clock is right, the server needs a new certificate. AWS renews its own: an expired "
               "one there means a wrong clock, or somebody who opens TLS in between.";
    case GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER:
        return "Give the CA that issued it with --cafile (AWS: AmazonRootCA1.pem). If the CA is right, "
               "somebody opens TLS in between: a proxy, a captive portal.";
    case GECKO_MQTT_ERR_TLS_CLOCK:
        return "Set this device's clock (NTP: timedatectl, chronyc tracking), then try again.";
    case GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE:
        return "Check that --cert and --key are this device's, and that the certificate is registered and "
               "ACTIVE at the server.";
    case GECKO_MQTT_ERR_CLIENT_ID_REJECTED:
        return "Choose another --client-id, or leave it out.";
    case GECKO_MQTT_ERR_QUOTA_EXCEEDED:
    case GECKO_MQTT_ERR_SERVER_UNAVAILABLE:
        return "Wait a minute and try again; if it stays so, look at the server.";
    case GECKO_MQTT_ERR_PROTOCOL:
    case GECKO_MQTT_ERR_PROTOCOL_VERSION:
        return "Check host and port: MQTT 5 is needed.";
    case GECKO_MQTT_ERR_FILE:
        return "Check the path, and whether you may read the file.";
    case GECKO_MQTT_ERR_KEY_MISMATCH:
        return "Give the key that the certificate was made for; both carry the same name where AWS made "
               "them.";
    case GECKO_MQTT_ERR_SESSION_TAKEN_OVER:
        return "A device with the same client identifier is at work: leave --client-id out, or stop it "
               "first.";
    default:
        return NULL;
    }
}
