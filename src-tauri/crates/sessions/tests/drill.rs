//! The drill against the Lab: what each fault costs each lane.

use std::time::Duration;

use weir_lab::{Lab, LabConfig};
use weir_sessions::drill::{LaneReport, run};

async fn drill(fault: &str) -> [LaneReport; 2] {
    let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await.unwrap();
    run(&lab.url(), fault, Duration::from_millis(500)).await.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_costs_the_resumed_stream_time_and_the_post_its_rest() {
    let [events, reply] = drill("deploy=20;notice=0;down=100;retry=200").await;
    assert!(events.whole && events.lost == 0 && events.repeated == 0, "{events:?}");
    assert!(events.reconnects >= 1 && events.recover_ms.unwrap() >= 190.0, "{events:?}");
    assert!(!reply.whole && reply.lost == 40 && reply.reconnects == 0 && reply.recover_ms.is_none(), "{reply:?}");
    assert!(reply.error.is_some() && reply.resumes.contains("not sent again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_costs_nothing_and_doubled_or_lost_events_are_counted() {
    for lane in drill("none").await {
        assert!(lane.whole && lane.notice_ms.is_none() && lane.error.is_none() && lane.reconnects == 0, "{lane:?}");
    }
    let [events, reply] = drill("duplicate=10").await;
    assert_eq!((events.repeated, events.lost, events.whole), (6, 0, true), "{events:?}");
    assert!(events.bytes_twice > 0 && reply.repeated >= 5 && reply.lost == 0, "{reply:?}");
}
