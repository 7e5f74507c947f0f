use super::*;
use bollard::models::PortSummaryTypeEnum;
use std::collections::HashMap;

fn host(inside: &str, bindings: &[(&str, &str)]) -> HostConfig {
    let bindings = bindings.iter().map(|(ip, port)| PortBinding {
        host_ip: Some((*ip).to_owned()),
        host_port: Some((*port).to_owned()),
    });
    let all = HashMap::from([(inside.to_owned(), Some(bindings.collect()))]);
    HostConfig { port_bindings: Some(all), ..HostConfig::default() }
}

fn shown(inside: &str, bindings: &[(&str, &str)]) -> Vec<String> {
    wanted(&host(inside, bindings)).iter().map(ToString::to_string).collect()
}

#[test]
fn ports_that_the_engine_chooses_are_not_looked_at() {
    assert_eq!(shown("80/tcp", &[("192.0.2.1", "80"), ("", "8080")]), ["192.0.2.1:80", "8080"]);
    assert_eq!(shown("53/udp", &[("::1", "53")]), ["[::1]:53/udp"]);
    assert_eq!(shown("80", &[("[::1]", "80")]), ["[::1]:80"]);
    for port in ["", "0", "8000-8005", "x"] {
        assert!(shown("80/tcp", &[("", port)]).is_empty(), "{port}");
    }
    assert!(shown("80/sctp", &[("", "80")]).is_empty());
    assert!(shown("80/tcp", &[("no address", "80")]).is_empty());
}

#[test]
fn a_port_is_taken_where_somebody_listens() {
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let held = TcpListener::bind((local, 0)).unwrap();
    let number = held.local_addr().unwrap().port();
    let port = Port { address: None, number, protocol: Protocol::Tcp };
    for address in [any, local] {
        assert_eq!(bind(&port, address).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
    bind(&port, "127.0.0.2".parse().unwrap()).unwrap();
    bind(&Port { protocol: Protocol::Udp, ..port.clone() }, local).unwrap();
    let nowhere = bind(&port, "192.0.2.9".parse().unwrap()).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::AddrNotAvailable);
    // A connection that has been closed doesn't keep the port.
    let client = std::net::TcpStream::connect((local, number)).unwrap();
    drop(held.accept().unwrap());
    drop(client);
    drop(held);
    bind(&port, any).unwrap();
}

#[test]
fn the_holder_is_the_container_whose_port_overlaps() {
    let one = |name: &str, ip: &str, number: u16, typ| ContainerSummary {
        names: Some(vec![format!("/{name}")]),
        ports: Some(vec![PortSummary {
            ip: Some(ip.to_owned()),
            public_port: Some(number),
            private_port: 1,
            typ: Some(typ),
        }]),
        ..ContainerSummary::default()
    };
    let all = [
        one("udp", "0.0.0.0", 80, PortSummaryTypeEnum::UDP),
        one("far", "192.0.2.2", 80, PortSummaryTypeEnum::TCP),
        one("web", "192.0.2.1", 80, PortSummaryTypeEnum::TCP),
        one("all", "0.0.0.0", 81, PortSummaryTypeEnum::TCP),
    ];
    let of = |address: Option<&str>, number| {
        let address = address.map(|text| text.parse().unwrap());
        let port = Port { address, number, protocol: Protocol::Tcp };
        find_holder(&all, &port, "own").map(str::to_owned)
    };
    assert_eq!(of(Some("192.0.2.1"), 80).as_deref(), Some("web"));
    assert_eq!(of(Some("192.0.2.3"), 80), None);
    assert_eq!(of(None, 80).as_deref(), Some("far"));
    assert_eq!(of(Some("192.0.2.3"), 81).as_deref(), Some("all"));
    assert_eq!(of(None, 82), None);
    let port = Port { address: None, number: 81, protocol: Protocol::Tcp };
    assert_eq!(find_holder(&all, &port, "all"), None, "ours is no hindrance");
}
