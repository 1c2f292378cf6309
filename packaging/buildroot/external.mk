include $(sort $(wildcard $(BR2_EXTERNAL_GECKO_MQTT_PATH)/package/*/*.mk))
