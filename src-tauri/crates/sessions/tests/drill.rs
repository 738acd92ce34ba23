//! The drill against the Lab: what each fault costs each lane, where every word is known.

use weir_lab::{Lab, LabConfig};
use weir_sessions::Engine;
use weir_sessions::drill::{self, Drill, DrillKind, DrillState, DrillView, LaneReport, MomentKind, Repeat, run};

struct Field {
    engine: Engine,
    _lab: Lab,
    _home: tempfile::TempDir,
}

impl Field {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path()).unwrap();
        let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await.unwrap();
        engine.set_lab(Some(lab.url()));
        Self { engine, _lab: lab, _home: home }
    }

    async fn drill(&self, fault: &str) -> DrillView {
        self.with(Drill { fault: fault.into(), ..fast() }).await
    }

    async fn with(&self, drill: Drill) -> DrillView {
        let running = run(&self.engine, drill).unwrap();
        running.ended().await;
        running.view()
    }
}

/// 40 words in 0.4 s, with half a second of patience.
fn fast() -> Drill {
    Drill { tokens: 40, rate: 100, patience_ms: 500, ..Drill::default() }
}

fn lane<'a>(view: &'a DrillView, id: &str) -> &'a LaneReport {
    &view.lanes.iter().find(|lane| lane.report.lane == id).unwrap().report
}

/// Lost, repeated, comebacks, asked anew.
fn counts(view: &DrillView, id: &str) -> (u32, u32, u32, u32) {
    let lane = lane(view, id);
    (lane.lost, lane.repeated, lane.reconnects, lane.asked_again)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_costs_nothing_on_any_lane() {
    let field = Field::new().await;
    let view = field.drill("none").await;
    assert_eq!((view.state, view.lanes.len()), (DrillState::Done, 8));
    for lane in &view.lanes {
        let report = &lane.report;
        assert!(report.whole && report.error.is_none() && report.notice_ms.is_none(), "{report:?}");
        assert_eq!((report.lost, report.repeated, report.reconnects, report.bytes_twice), (0, 0, 0, 0), "{report:?}");
        assert_eq!(lane.ticks.len(), 40);
        // Each lane leads to its session, which is whole.
        let session = field.engine.session(&report.session).unwrap();
        assert_eq!(format!("{:?}", session.outcome().unwrap().kind), "Complete", "{}", report.lane);
        assert_eq!(field.engine.library().session(&report.session).unwrap().tags, [format!("drill:{}", view.drill.id)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_costs_each_lane_what_its_api_cannot_resume() {
    let field = Field::new().await;
    for fault in ["drop-after=15", "cut-after=15"] {
        let view = field.drill(fault).await;
        for id in ["events", "responses", "mcp"] {
            assert_eq!(counts(&view, id), (0, 0, 1, 0), "{fault} {id}");
            assert!(lane(&view, id).whole && lane(&view, id).recover_ms.is_some(), "{fault} {id}");
        }
        // By the time the page is back, the reply is over, and there is no stream to go on with.
        assert_eq!((counts(&view, "ai-sdk"), lane(&view, "ai-sdk").error.as_deref()), ((25, 0, 1, 0), Some("nothing-more")), "{fault}");
        // The turn is asked again, and made again.
        assert_eq!(counts(&view, "live"), (0, 15, 1, 1), "{fault}");
        assert!(lane(&view, "live").bytes_twice_up > 0);
        // Never sent again.
        for id in ["reply", "responses-ws"] {
            assert_eq!(counts(&view, id), (25, 0, 0, 0), "{fault} {id}");
            assert!(lane(&view, id).error.is_some() && lane(&view, id).recover_ms.is_none(), "{fault} {id}");
        }
        assert_eq!((lane(&view, "http").lost, lane(&view, "http").reconnects), (40, 0), "{fault}: half a body is no reply");
        let moments: Vec<_> = view.lanes[2].moments.iter().map(|moment| moment.kind).collect();
        use MomentKind::*;
        assert_eq!(moments, [Asked, Fault, Noticed, Asked, Recovered, Ended], "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_says_again_what_had_come() {
    let field = Field::new().await;
    let view = field.with(Drill { lanes: vec!["ai-sdk".into()], rate: 20, fault: "drop-after=15".into(), ..fast() }).await;
    assert_eq!(counts(&view, "ai-sdk"), (0, 15, 1, 0));
    assert!(lane(&view, "ai-sdk").whole && lane(&view, "ai-sdk").bytes_twice > 15 * 20);
    assert_eq!(
        view.lanes[0].ticks.iter().map(|tick| tick.again).collect::<Vec<_>>(),
        [[false; 15].as_slice(), &[true; 15], &[false; 25]].concat()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_is_noticed_when_patience_ends_and_a_deploy_is_announced() {
    let field = Field::new().await;
    let view = field.drill("stall=30;after=10").await;
    for id in ["events", "reply", "responses", "responses-ws", "live", "ai-sdk", "mcp"] {
        let notice = lane(&view, id).notice_ms.unwrap();
        assert!((499.0..700.0).contains(&notice), "{id} {notice}");
        assert_eq!(lane(&view, id).lost, if ["reply", "responses-ws", "ai-sdk"].contains(&id) { 30 } else { 0 }, "{id}");
    }
    let view = field.drill("deploy=10;notice=20;down=200;retry=300").await;
    for id in ["events", "responses", "mcp"] {
        assert_eq!((lane(&view, id).lost, lane(&view, id).repeated, lane(&view, id).whole), (0, 0, true), "{id}");
        assert!(lane(&view, id).recover_ms.unwrap() >= 200.0, "{id}");
    }
    for id in ["events", "responses", "live"] {
        let lane = view.lanes.iter().find(|lane| lane.report.lane == id).unwrap();
        assert!(lane.moments.iter().any(|moment| moment.kind == MomentKind::Announced), "{id} {:?}", lane.moments);
    }
    assert_eq!(lane(&view, "responses-ws").error.as_deref(), Some("close-1012"));
    let view = field.drill("deploy-drain=10").await;
    assert!(view.lanes.iter().all(|lane| lane.report.whole), "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doubled_and_lost_events_are_counted_against_what_was_meant() {
    let field = Field::new().await;
    let view = field.drill("duplicate=10").await;
    assert_eq!((lane(&view, "events").repeated, lane(&view, "events").lost), (4, 0));
    assert!(lane(&view, "events").whole && lane(&view, "events").bytes_twice > 0);
    let view = field.with(Drill { tokens: 45, fault: "lose=10".into(), ..fast() }).await;
    assert_eq!((lane(&view, "events").lost, lane(&view, "events").error.as_deref()), (4, Some("words-missing")));
    assert!(lane(&view, "reply").lost >= 3 && lane(&view, "reply").error.as_deref() == Some("words-missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_meets_every_connection_still_ends() {
    let field = Field::new().await;
    let lanes = vec!["responses".into(), "mcp".into(), "live".into()];
    let view = field.with(Drill { lanes, repeat: Repeat::Always, fault: "cut-after=15".into(), ..fast() }).await;
    assert_eq!(counts(&view, "responses"), (0, 0, 2, 0));
    // 15 words are all that ever come of a turn that is said from its start.
    assert_eq!((lane(&view, "live").lost, lane(&view, "live").whole), (25, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_in_the_middle_it_keeps_what_came_and_says_so() {
    let field = Field::new().await;
    let running = run(&field.engine, Drill { tokens: 2000, rate: 50, fault: "none".into(), ..fast() }).unwrap();
    let mut watcher = running.watch();
    while watcher.next().await.unwrap().lanes[0].report.lost > 1990 {}
    running.stop();
    running.ended().await;
    let view = running.view();
    assert_eq!(view.state, DrillState::Stopped);
    for lane in &view.lanes {
        assert_eq!((lane.state, lane.report.error.as_deref()), (DrillState::Stopped, Some("cancelled")), "{}", lane.report.lane);
        assert_eq!(format!("{:?}", field.engine.session(&lane.report.session).unwrap().outcome().unwrap().kind), "Cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_kept_as_it_was_shown_last() {
    let Field { engine, _lab, _home } = Field::new().await;
    let running = run(&engine, Drill { fault: "drop-after=10".into(), lanes: vec!["events".into(), "reply".into()], ..fast() }).unwrap();
    let live = drill::list(&engine, DrillKind::Fault, &[running.id().to_owned()]).unwrap();
    assert_eq!((live.len(), live[0].state), (1, DrillState::Running), "it is listed from its start");
    running.ended().await;
    let shown = running.view();
    drop(engine);
    let again = Engine::open(_home.path()).unwrap();
    let [kept] = &drill::list(&again, DrillKind::Fault, &[]).unwrap()[..] else { panic!("one drill") };
    assert_eq!((kept.id.as_str(), kept.state, kept.found.as_str()), (running.id(), DrillState::Done, "1 of 2 whole"));
    assert_eq!(drill::open(&again, &kept.id).unwrap(), shown);
    assert!(shown.lanes.iter().all(|lane| again.session(&lane.report.session).is_ok()), "its lanes lead to their bytes");
}
