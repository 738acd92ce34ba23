//! `drill`.

use crate::program::Home;

#[test]
fn it_tells_what_a_fault_costs_and_never_sends_a_post_again() {
    let home = Home::new();
    let ran = home.run(&["drill", "--fault", "deploy=10;notice=0;down=50;retry=60", "--lane", "events", "--lane", "reply", "--json"]);
    let lanes = ran.lines();
    assert_eq!((ran.code, lanes.len()), (1, 2), "{}", ran.err);
    assert_eq!((&lanes[0]["lane"], &lanes[0]["whole"], &lanes[0]["lost"]), (&"events".into(), &true.into(), &0.into()));
    assert_eq!((&lanes[1]["lane"], &lanes[1]["whole"], &lanes[1]["reconnects"]), (&"reply".into(), &false.into(), &0.into()));
    assert!(lanes[0]["moments"].as_array().unwrap().len() > 4, "{}", ran.out);
    // Each lane is a session of the library.
    let listed = home.run(&["sessions", "list", "--json"]);
    assert_eq!(listed.lines().len(), 2, "{}", listed.out);
    let ran = home.run(&["drill", "--fault", "duplicate=5", "--rate", "200"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("| Event stream | – | – |") && ran.out.contains("is not sent again"), "{}", ran.out);
    let ran = home.run(&["drill", "--fault", "bogus"]);
    assert_eq!((ran.code, ran.err.contains("deploy-drain")), (2, true));
    assert_eq!(home.run(&["drill"]).code, 2);
    assert_eq!(home.run(&["drill", "--fault", "none", "--lane", "smoke"]).code, 2);
}
