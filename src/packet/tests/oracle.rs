//! Against another implementation: what we encode it decodes to the same values, or encodes to the same bytes; what
//! it encodes we decode.
//!
//! Where it is wrong itself, only one of the two serves: it cannot read a subscription identifier that is followed by
//! another property, nor a DISCONNECT without properties.

use super::values::{Owned, borrowed, bytes, message, pairs, qos, text, topic_filter, topic_name};
use super::*;
use crate::QoS;
use ::bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rumqttc::v5::mqttbytes::QoS as OtherQoS;
use rumqttc::v5::mqttbytes::v5 as other;

fn decoded(bytes: &[u8]) -> other::Packet {
    let mut stream = BytesMut::from(bytes);
    let packet = other::Packet::read(&mut stream, None).expect("the oracle reads what we write");
    assert!(stream.is_empty());
    packet
}

fn encoded(packet: other::Packet) -> Vec<u8> {
    let mut stream = BytesMut::new();
    packet.write(&mut stream, None).expect("the oracle writes what it may");
    stream.to_vec()
}

fn other_qos(qos: QoS) -> OtherQoS {
    rumqttc::v5::mqttbytes::qos(qos.level()).unwrap()
}

fn publish_properties(message: &Owned, alias: Option<u16>, ids: &[u32]) -> Option<other::PublishProperties> {
    let properties = other::PublishProperties {
        payload_format_indicator: message.utf8.then_some(1),
        message_expiry_interval: message.message_expiry_secs,
        topic_alias: alias,
        response_topic: message.response_topic.clone(),
        correlation_data: message.correlation_data.clone().map(Bytes::from),
        user_properties: message.user_properties.clone(),
        subscription_identifiers: ids.iter().map(|&id| id as usize).collect(),
        content_type: message.content_type.clone(),
    };
    (properties != other::PublishProperties::default()).then_some(properties)
}

fn publish(
    message: &Owned,
    id: u16,
    dup: bool,
    properties: Option<other::PublishProperties>,
) -> other::Publish {
    let mut publish = other::Publish::new(
        message.topic.clone(),
        other_qos(message.qos),
        message.payload.clone(),
        properties,
    );
    let acknowledged = message.qos != QoS::AtMostOnce;
    publish.retain = message.retain;
    publish.pkid = if acknowledged { id } else { 0 };
    publish.dup = dup && acknowledged;
    publish
}

fn alias() -> impl Strategy<Value = Alias> {
    prop_oneof![Just(Alias::None), (1..=u16::MAX).prop_map(Alias::Set), (1..=u16::MAX).prop_map(Alias::Use)]
}

proptest! {
    #[test]
    fn our_publish(mut message in message(), id in 1..=u16::MAX, dup: bool, alias in alias()) {
        let user_properties = borrowed(&message.user_properties);
        let stored = StoredPublish::new(&message.as_message(&user_properties)).unwrap();
        let header = Header { id, dup, alias, expiry_secs: message.message_expiry_secs };
        let mut ours = Vec::new();
        stored.write(&header, &mut ours);
        prop_assert_eq!(ours.len(), stored.size(&header));
        prop_assert_eq!(stored.topic(), &message.topic);
        prop_assert_eq!(stored.payload_len(), message.payload.len());

        let alias = match alias {
            Alias::None => None,
            Alias::Set(alias) => Some(alias),
            Alias::Use(alias) => {
                message.topic.clear();
                Some(alias)
            }
        };
        let theirs = publish(&message, id, dup, publish_properties(&message, alias, &[]));
        prop_assert_eq!(decoded(&ours), other::Packet::Publish(theirs.clone()));
        // It writes the payload format before the expiry interval, and we after it.
        if !message.utf8 {
            prop_assert_eq!(ours, encoded(other::Packet::Publish(theirs)));
        }
    }

    #[test]
    fn their_publish(
        message in message(),
        id in 1..=u16::MAX,
        dup: bool,
        alias in of(1..=u16::MAX),
        ids in vec(1..=268_435_455_u32, 0..4),
    ) {
        let theirs = encoded(other::Packet::Publish(publish(
            &message,
            id,
            dup,
            publish_properties(&message, alias, &ids),
        )));
        let Ok(Received::Publish(ours)) = read(&theirs) else { panic!("{:?}", read(&theirs)) };
        let acknowledged = message.qos != QoS::AtMostOnce;
        prop_assert_eq!((ours.id, ours.alias), (if acknowledged { id } else { 0 }, alias));
        let mut scratch = Scratch::default();
        let got = ours.to_message(ours.topic, &mut scratch);
        let user_properties = borrowed(&message.user_properties);
        let mut wanted = message.as_message(&user_properties);
        wanted.dup = dup && acknowledged;
        wanted.subscription_ids = &ids;
        prop_assert_eq!(format!("{got:?}"), format!("{wanted:?}"));
    }

    #[test]
    fn our_connect(
        (client_id, clean_start, keep_alive) in (text(), any::<bool>(), any::<u16>()),
        (expiry, receive_maximum, packet_size, alias) in
            (any::<u32>(), 1..=u16::MAX, prop_oneof![1..=u32::MAX, Just(u32::MAX)], any::<u16>()),
        login in of(("[^\\x00]{1,40}", "[^\\x00]{1,40}")),
        will in of((message(), any::<u32>())),
        user_properties in pairs(),
    ) {
        let pairs = borrowed(&user_properties);
        let will_pairs = will.as_ref().map(|(message, _)| borrowed(&message.user_properties)).unwrap_or_default();
        let connect = Connect {
            client_id: &client_id,
            clean_start,
            keep_alive_secs: keep_alive,
            session_expiry_secs: expiry,
            receive_maximum,
            maximum_packet_size: packet_size,
            topic_alias_maximum: alias,
            username: login.as_ref().map(|(username, _)| username.as_bytes()),
            password: login.as_ref().map(|(_, password)| password.as_bytes()),
            will: will.as_ref().map(|(message, delay_secs)| Will {
                message: message.as_message(&will_pairs),
                delay_secs: *delay_secs,
            }),
            user_properties: &pairs,
        };
        let mut ours = Vec::new();
        connect.encode(&mut ours).unwrap();

        let mut properties = other::ConnectProperties::new();
        properties.session_expiry_interval = (expiry != 0).then_some(expiry);
        properties.receive_maximum = (receive_maximum != u16::MAX).then_some(receive_maximum);
        properties.max_packet_size = (packet_size != u32::MAX).then_some(packet_size);
        properties.topic_alias_max = (alias != 0).then_some(alias);
        properties.user_properties = user_properties.clone();
        let properties = (properties != other::ConnectProperties::new()).then_some(properties);
        let theirs = other::Packet::Connect(
            other::Connect { keep_alive, client_id: client_id.clone(), clean_start, properties },
            will.as_ref().map(|(message, delay)| other_will(message, *delay)),
            login.as_ref().map(|(username, password)| other::Login::new(username, password)),
        );
        prop_assert_eq!(decoded(&ours), theirs.clone());
        // A will's properties are written in another order.
        if will.is_none() {
            prop_assert_eq!(ours, encoded(theirs));
        }
    }

    #[test]
    fn our_subscribe_and_unsubscribe(
        id in 1..=u16::MAX,
        subscription_id in of(1..=268_435_455_u32),
        filters in vec((topic_filter(), qos(), any::<(bool, bool)>(), 0..3_u8), 1..9),
        user_properties in pairs(),
    ) {
        let pairs = borrowed(&user_properties);
        let ours: Vec<Filter<'_>> = filters
            .iter()
            .map(|(filter, qos, (no_local, retain_as_published), handling)| Filter {
                filter,
                qos: *qos,
                no_local: *no_local && topic::shared_filter(filter).is_none(),
                retain_as_published: *retain_as_published,
                retain_handling: [RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend]
                    [usize::from(*handling)],
            })
            .collect();
        let subscribe = Subscribe { id, subscription_id, filters: &ours, user_properties: &pairs };
        let mut bytes = Vec::new();
        subscribe.encode(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), subscribe.size());
        let theirs = other::Subscribe {
            pkid: id,
            filters: ours.iter().map(other_filter).collect(),
            properties: (subscription_id.is_some() || !pairs.is_empty()).then(|| other::SubscribeProperties {
                id: subscription_id.map(|id| id as usize),
                user_properties: user_properties.clone(),
            }),
        };
        prop_assert_eq!(&bytes, &encoded(other::Packet::Subscribe(theirs.clone())));
        if subscription_id.is_none() {
            prop_assert_eq!(decoded(&bytes), other::Packet::Subscribe(theirs));
        }

        let names: Vec<&str> = ours.iter().map(|filter| filter.filter).collect();
        let unsubscribe = Unsubscribe { id, filters: &names, user_properties: &pairs };
        let mut bytes = Vec::new();
        unsubscribe.encode(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), unsubscribe.size());
        let theirs = other::Packet::Unsubscribe(other::Unsubscribe {
            pkid: id,
            filters: names.iter().map(|&name| name.into()).collect(),
            properties: (!pairs.is_empty()).then(|| other::UnsubscribeProperties { user_properties: user_properties.clone() }),
        });
        prop_assert_eq!(&bytes, &encoded(theirs.clone()));
        prop_assert_eq!(decoded(&bytes), theirs);
    }

    #[test]
    fn our_acknowledgements(id in 1..=u16::MAX) {
        let bytes = |kind: AckKind, reason| {
            let mut out = Vec::new();
            kind.write(id, reason, &mut out);
            out
        };
        let success = ReasonCode::SUCCESS;
        let theirs = [
            (AckKind::PubAck, other::Packet::PubAck(other::PubAck::new(id, None))),
            (AckKind::PubRec, other::Packet::PubRec(other::PubRec::new(id, None))),
            (AckKind::PubRel, other::Packet::PubRel(other::PubRel::new(id, None))),
            (AckKind::PubComp, other::Packet::PubComp(other::PubComp::new(id, None))),
        ];
        for (kind, theirs) in theirs {
            prop_assert_eq!(&bytes(kind, success), &encoded(theirs.clone()));
            prop_assert_eq!(decoded(&bytes(kind, success)), theirs);
        }
        let not_authorized = other::PubAck { pkid: id, reason: other::PubAckReason::NotAuthorized, properties: None };
        prop_assert_eq!(
            decoded(&bytes(AckKind::PubAck, ReasonCode::NOT_AUTHORIZED)),
            other::Packet::PubAck(not_authorized)
        );
    }

    #[test]
    fn their_connack(
        session_present: bool,
        (expiry, receive_max, max_qos, retain) in
            (of(any::<u32>()), of(1..=u16::MAX), of(0..=1_u8), of(0..=1_u8)),
        (packet_size, client_id, alias, reason_string, user_properties) in
            (of(1..=u32::MAX), of(text()), of(any::<u16>()), of(text()), pairs()),
        (wildcard, identifiers, shared, keep_alive) in
            (of(0..=1_u8), of(0..=1_u8), of(0..=1_u8), of(any::<u16>())),
        (information, reference, method, data) in (of(text()), of(text()), of(text()), of(bytes())),
    ) {
        let theirs = encoded(other::Packet::ConnAck(other::ConnAck {
            session_present,
            code: other::ConnectReturnCode::Success,
            properties: Some(other::ConnAckProperties {
                session_expiry_interval: expiry,
                receive_max,
                max_qos,
                retain_available: retain,
                max_packet_size: packet_size,
                assigned_client_identifier: client_id.clone(),
                topic_alias_max: alias,
                reason_string: reason_string.clone(),
                user_properties: user_properties.clone(),
                wildcard_subscription_available: wildcard,
                subscription_identifiers_available: identifiers,
                shared_subscription_available: shared,
                server_keep_alive: keep_alive,
                response_information: information.clone(),
                server_reference: reference.clone(),
                authentication_method: method.clone(),
                authentication_data: data.clone().map(Bytes::from),
            }),
        }));
        let Ok(Received::ConnAck(ours)) = read(&theirs) else { panic!("{:?}", read(&theirs)) };
        prop_assert!(ours.properties.user_properties().eq(borrowed(&user_properties)));
        let wanted = ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            session_expiry_secs: expiry,
            receive_maximum: receive_max.unwrap_or(u16::MAX),
            maximum_qos: max_qos.map_or(QoS::ExactlyOnce, |qos| QoS::from_level(qos).unwrap()),
            retain_available: retain != Some(0),
            maximum_packet_size: packet_size,
            assigned_client_id: client_id.as_deref(),
            topic_alias_maximum: alias.unwrap_or(0),
            reason_string: reason_string.as_deref(),
            wildcard_subscription_available: wildcard != Some(0),
            subscription_identifier_available: identifiers != Some(0),
            shared_subscription_available: shared != Some(0),
            server_keep_alive_secs: keep_alive,
            response_information: information.as_deref(),
            server_reference: reference.as_deref(),
            authentication_method: method.as_deref(),
            authentication_data: data.as_deref(),
            properties: ours.properties,
        };
        prop_assert_eq!(ours, wanted);
    }

    #[test]
    fn their_answers(id in 1..=u16::MAX, reason_string in of(text()), user_properties in pairs()) {
        let properties = || (reason_string.clone(), user_properties.clone());
        let pairs = borrowed(&user_properties);

        let (reason_string_, user_properties_) = properties();
        let theirs = encoded(other::Packet::PubAck(other::PubAck {
            pkid: id,
            reason: other::PubAckReason::QuotaExceeded,
            properties: Some(other::PubAckProperties { reason_string: reason_string_, user_properties: user_properties_ }),
        }));
        let Ok(Received::Ack(ours)) = read(&theirs) else { panic!() };
        prop_assert_eq!((ours.kind, ours.id, ours.reason), (AckKind::PubAck, id, ReasonCode::QUOTA_EXCEEDED));
        prop_assert_eq!(ours.reason_string, reason_string.as_deref());
        prop_assert!(ours.properties.user_properties().eq(pairs.iter().copied()));

        let (reason_string_, user_properties_) = properties();
        let theirs = encoded(other::Packet::PubRel(other::PubRel {
            pkid: id,
            reason: other::PubRelReason::PacketIdentifierNotFound,
            properties: Some(other::PubRelProperties { reason_string: reason_string_, user_properties: user_properties_ }),
        }));
        let Ok(Received::Ack(ours)) = read(&theirs) else { panic!() };
        prop_assert_eq!((ours.kind, ours.id, ours.reason.0), (AckKind::PubRel, id, 146));
        prop_assert_eq!(ours.reason_string, reason_string.as_deref());

        let (reason_string_, user_properties_) = properties();
        let theirs = encoded(other::Packet::SubAck(other::SubAck {
            pkid: id,
            return_codes: vec![
                other::SubscribeReasonCode::Success(OtherQoS::AtLeastOnce),
                other::SubscribeReasonCode::NotAuthorized,
            ],
            properties: Some(other::SubAckProperties { reason_string: reason_string_, user_properties: user_properties_ }),
        }));
        let Ok(Received::SubAck(ours)) = read(&theirs) else { panic!() };
        prop_assert_eq!((ours.id, ours.codes), (id, &[1, 135][..]));
        prop_assert_eq!(ours.reason_string, reason_string.as_deref());
        prop_assert!(ours.properties.user_properties().eq(pairs.iter().copied()));

        let (reason_string_, user_properties_) = properties();
        let theirs = encoded(other::Packet::UnsubAck(other::UnsubAck {
            pkid: id,
            reasons: vec![other::UnsubAckReason::NoSubscriptionExisted, other::UnsubAckReason::Success],
            properties: Some(other::UnsubAckProperties { reason_string: reason_string_, user_properties: user_properties_ }),
        }));
        let Ok(Received::UnsubAck(ours)) = read(&theirs) else { panic!() };
        prop_assert_eq!((ours.id, ours.codes), (id, &[17, 0][..]));
        prop_assert_eq!(ours.reason_string, reason_string.as_deref());

        let (reason_string_, user_properties_) = properties();
        let theirs = encoded(other::Packet::Disconnect(other::Disconnect {
            reason_code: other::DisconnectReasonCode::ServerMoved,
            properties: Some(other::DisconnectProperties {
                session_expiry_interval: None,
                reason_string: reason_string_,
                user_properties: user_properties_,
                server_reference: Some("elsewhere".into()),
            }),
        }));
        let Ok(Received::Disconnect(ours)) = read(&theirs) else { panic!() };
        prop_assert_eq!((ours.reason.0, ours.server_reference), (157, Some("elsewhere")));
        prop_assert_eq!(ours.reason_string, reason_string.as_deref());
        prop_assert!(ours.properties.user_properties().eq(pairs.iter().copied()));
    }

    /// Its check of names and filters is weaker than ours, so all that ours takes it has to take.
    #[test]
    fn our_names_and_filters(name in topic_name(), filter in topic_filter()) {
        prop_assert!(topic::valid_name(&name).is_ok() && rumqttc::v5::mqttbytes::valid_topic(&name));
        prop_assert!(topic::valid_filter(&filter).is_ok() && rumqttc::v5::mqttbytes::valid_filter(&filter));
    }
}

fn other_will(message: &Owned, delay: u32) -> other::LastWill {
    let properties = other::LastWillProperties {
        delay_interval: (delay != 0).then_some(delay),
        payload_format_indicator: message.utf8.then_some(1),
        message_expiry_interval: message.message_expiry_secs,
        content_type: message.content_type.clone(),
        response_topic: message.response_topic.clone(),
        correlation_data: message.correlation_data.clone().map(Bytes::from),
        user_properties: message.user_properties.clone(),
    };
    let nothing = other::LastWillProperties {
        delay_interval: None,
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    other::LastWill::new(
        message.topic.clone(),
        message.payload.clone(),
        other_qos(message.qos),
        message.retain,
        (properties != nothing).then_some(properties),
    )
}

fn other_filter(filter: &Filter<'_>) -> other::Filter {
    other::Filter {
        path: filter.filter.into(),
        qos: other_qos(filter.qos),
        nolocal: filter.no_local,
        preserve_retain: filter.retain_as_published,
        retain_forward_rule: match filter.retain_handling {
            RetainHandling::Send => other::RetainForwardRule::OnEverySubscribe,
            RetainHandling::SendIfNew => other::RetainForwardRule::OnNewSubscribe,
            RetainHandling::DoNotSend => other::RetainForwardRule::Never,
        },
    }
}
