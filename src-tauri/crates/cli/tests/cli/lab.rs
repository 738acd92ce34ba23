//! `lab`.

use crate::program::{Home, Lab};

#[test]
fn it_tells_where_it_listens_and_stops_when_asked() {
    let home = Home::new();
    let lab = Lab::start(&home, &["--tokens", "4", "--seed", "9", "--http2", "off"]);
    assert!(lab.url.starts_with("http://127.0.0.1:"));
    let base = lab.base();
    let text = || {
        home.run(&["send", "--base-url", &base, "--model", "lab/steady", "--prompt", "x", "--json"]).summary()["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(text(), text(), "a seed names a reply");
    let two = home.run(&["send", "--base-url", &base, "--model", "lab/steady", "--prompt", "x", "--http", "2", "--quiet"]);
    assert_eq!(two.code, 1, "HTTP/2 is off: {}", two.out);
    assert_eq!(lab.stop(), Some(0));
}

#[test]
fn the_certificate_for_tls_is_there_before_the_address_is_told() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let lab = Lab::start(&home, &["--tls-ca", file.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let base = lab.base().replace("http://127.0.0.1", "https://localhost");
    let ask =
        |more: &[&str]| home.run(&[&["send", "--base-url", &base, "--model", "lab/steady", "--prompt", "x", "--json"], more].concat());
    assert_eq!(ask(&[]).code, 3, "nobody trusts it unasked");
    for http in ["1.1", "2"] {
        let ran = ask(&["--insecure", "--http", http]);
        assert_eq!((ran.code, ran.summary()["http"].as_str()), (0, Some(http)), "{}", ran.err);
    }
    drop(lab);
    let ran = home.run(&["lab", "--port", "0", "--tls-ca", folder.path().join("no/such/folder").to_str().unwrap()]);
    assert_eq!((ran.code, ran.err.contains("could not be written")), (1, true), "{}", ran.err);
}

#[test]
fn a_taken_port_is_told() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ran = home.run(&["lab", "--port", &taken.local_addr().unwrap().port().to_string()]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("already in use"), "{}", ran.err);
    assert_eq!(home.run(&["lab", "--tokens", "0x"]).code, 2);
}

#[test]
fn the_lab_provider_needs_no_lab_running() {
    let home = Home::new();
    let ran =
        home.run(&["send", "--provider", "lab", "--prompt", "x", "--header", "x-lab-rate: 0", "--header", "x-lab-ttft-ms: 1", "--quiet"]);
    assert_eq!((ran.code, ran.summary()["outcome"].as_str()), (0, Some("complete")), "{}", ran.err);
}
