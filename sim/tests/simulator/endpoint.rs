//! A client that somebody else wrote: `mqtt-endpoint-tokio`.

use gecko_iot_sim::{Config, Simulator};
use mqtt_endpoint_tokio::mqtt_ep::packet::{GenericPacket, Qos, SubEntry, SubOpts, v5_0};
use mqtt_endpoint_tokio::mqtt_ep::transport::TcpTransport;
use mqtt_endpoint_tokio::mqtt_ep::{Endpoint, Mode, Version, role};
use tokio::net::TcpStream;

#[tokio::test]
async fn an_independent_client_publishes_to_itself() {
    let simulator = Simulator::start(Config { plain_port: Some(0), ..Config::default() }).await.unwrap();
    let stream = TcpStream::connect(("127.0.0.1", simulator.plain_port().unwrap())).await.unwrap();
    let endpoint: Endpoint<role::Client> = Endpoint::new(Version::V5_0);
    endpoint.attach(TcpTransport::from_stream(stream), Mode::Client).await.unwrap();

    let connect = v5_0::Connect::builder().client_id("endpoint").unwrap().build().unwrap();
    endpoint.send(connect).await.unwrap();
    assert!(matches!(endpoint.recv().await.unwrap(), GenericPacket::V5_0Connack(_)));

    let id = endpoint.acquire_packet_id().await.unwrap();
    let entry = SubEntry::new("t/#", SubOpts::new().set_qos(Qos::AtLeastOnce)).unwrap();
    let subscribe = v5_0::Subscribe::builder().packet_id(id).entries(vec![entry]).build().unwrap();
    endpoint.send(subscribe).await.unwrap();
    assert!(matches!(endpoint.recv().await.unwrap(), GenericPacket::V5_0Suback(_)));

    let id = endpoint.acquire_packet_id().await.unwrap();
    let publish = v5_0::Publish::builder()
        .topic_name("t/1")
        .unwrap()
        .qos(Qos::AtLeastOnce)
        .packet_id(id)
        .payload("hello")
        .build()
        .unwrap();
    endpoint.send(publish).await.unwrap();
    assert!(matches!(endpoint.recv().await.unwrap(), GenericPacket::V5_0Puback(_)));
    match endpoint.recv().await.unwrap() {
        GenericPacket::V5_0Publish(publish) => assert_eq!(publish.payload().as_slice(), b"hello"),
        other => panic!("{other:?}"),
    }
    // It acknowledges by itself.
    let acknowledged = |it: &Simulator| it.stats().pubacks_received == 1;
    assert!(simulator.wait_until(crate::client::SOON, acknowledged).await);
    assert_eq!(simulator.stats().protocol_errors, 0);
    endpoint.close().await.unwrap();
}
