//! A client that somebody else wrote: the state machine of `mqtt-protocol-core`, which acknowledges by itself and checks
//! what the server sends.

use std::collections::VecDeque;

use gecko_iot_sim::{Config, Simulator};
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::Event;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts, v5_0};
use mqtt_protocol_core::mqtt::{Connection, Version, role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::SOON;

struct Machine {
    stream: TcpStream,
    machine: Connection<role::Client>,
    received: VecDeque<Packet>,
}

impl Machine {
    async fn send(&mut self, packet: impl Into<Packet>) {
        let events = self.machine.send(packet.into());
        self.carry_out(events).await;
    }

    async fn carry_out(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    self.stream.write_all(&packet.to_continuous_buffer()).await.unwrap();
                }
                Event::NotifyPacketReceived(packet) => self.received.push_back(packet),
                Event::NotifyError(error) => panic!("{error}"),
                _ => {}
            }
        }
    }

    async fn receive(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.received.pop_front() {
                return packet;
            }
            let mut bytes = [0; 4096];
            let count = timeout(SOON, self.stream.read(&mut bytes)).await.unwrap().unwrap();
            assert!(count > 0, "the connection is closed");
            let mut cursor = Cursor::new(&bytes[..count]);
            while cursor.position() < count as u64 {
                let events = self.machine.recv(&mut cursor);
                self.carry_out(events).await;
            }
        }
    }
}

#[tokio::test]
async fn an_independent_client_is_content() {
    for config in [Config { plain_port: Some(0), ..Config::default() }, Config::generic_broker()] {
        let simulator = Simulator::start(config).await.unwrap();
        let port = simulator.plain_port().unwrap();
        let mut machine = Connection::new(Version::V5_0);
        machine.set_auto_pub_response(true);
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut client = Machine { stream, machine, received: VecDeque::new() };

        client.send(v5_0::Connect::builder().client_id("machine").unwrap().build().unwrap()).await;
        assert!(matches!(client.receive().await, Packet::V5_0Connack(_)));

        let id = client.machine.acquire_packet_id().unwrap();
        let entry = SubEntry::new("t/#", SubOpts::new().set_qos(Qos::AtLeastOnce)).unwrap();
        client.send(v5_0::Subscribe::builder().packet_id(id).entries(vec![entry]).build().unwrap()).await;
        assert!(matches!(client.receive().await, Packet::V5_0Suback(_)));

        let id = client.machine.acquire_packet_id().unwrap();
        let publish = v5_0::Publish::builder()
            .topic_name("t/1")
            .unwrap()
            .qos(Qos::AtLeastOnce)
            .packet_id(id)
            .payload("hello");
        client.send(publish.build().unwrap()).await;
        assert!(matches!(client.receive().await, Packet::V5_0Puback(_)));
        match client.receive().await {
            Packet::V5_0Publish(publish) => assert_eq!(publish.payload().as_slice(), b"hello"),
            other => panic!("{other:?}"),
        }
        assert!(simulator.wait_until(SOON, |it| it.stats().pubacks_received == 1).await);
        let stats = simulator.stats();
        assert_eq!((stats.protocol_errors, stats.unexpected_acknowledgements), (0, 0));
    }
}
