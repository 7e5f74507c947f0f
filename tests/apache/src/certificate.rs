// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates made for a test, and a server that has one.

use crate::{World, server};

/// What [`server::SMALL`] needs for TLS at port 8443, with the certificate `{w}/{name}.pem`.
#[must_use]
pub fn virtual_host(name: &str) -> String {
    format!(
        "LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so\n\
         LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n\
         SSLSessionCache none\n\
         Listen 127.0.0.1:8443 https\n\
         <VirtualHost *:8443>\nSSLEngine on\n\
         SSLCertificateFile {{w}}/{name}.pem\nSSLCertificateKeyFile {{w}}/{name}.key\n\
         </VirtualHost>"
    )
}

/// An authority `{w}/authority.pem` that nobody knows yet.
pub fn make_authority(world: &World) {
    let file = |name: &str| world.text(&format!("{{w}}/authority.{name}"));
    let constraint = "basicConstraints=critical,CA:TRUE";
    let words =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests"];
    let more = ["-addext", constraint, "-keyout", &file("key"), "-out", &file("pem")];
    server::call("openssl", &[&words[..], &more].concat());
}

/// A certificate of the authority's for names and addresses, `DNS:localhost,IP:127.0.0.1` say.
pub fn make(world: &World, name: &str, names: &str, days: &str) {
    let file = |kind: &str| world.text(&format!("{{w}}/{name}.{kind}"));
    let authority = |kind: &str| world.text(&format!("{{w}}/authority.{kind}"));
    let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server"];
    server::call(
        "openssl",
        &[&request[..], &["-keyout", &file("key"), "-out", &file("csr")]].concat(),
    );
    world.write(&format!("{name}.ext"), &format!("subjectAltName={names}\n"));
    let sign = ["x509", "-req", "-days", days, "-CAcreateserial"];
    let by = ["-CA", &authority("pem"), "-CAkey", &authority("key"), "-extfile", &file("ext")];
    let files = ["-in", &file("csr"), "-out", &file("pem")];
    server::call("openssl", &[&sign[..], &by, &files].concat());
}

/// Has this host trust the authority, as an administrator does it.
pub fn trust(world: &World) {
    let authority = world.text("{w}/authority.pem");
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let known = std::fs::read_to_string(bundle).unwrap_or_default();
    let own = std::fs::read_to_string(authority).unwrap();
    std::fs::create_dir_all("/etc/ssl/certs").unwrap();
    std::fs::write(bundle, known + &own).unwrap();
}
