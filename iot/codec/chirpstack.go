package codec

// chirpstackEvents are the events of ChirpStack's MQTT integration, version 4.
var chirpstackEvents = []string{"up", "status", "join", "ack", "txack", "log", "location", "integration"}
