//! One reader for every form in which a log writes an IP address.
use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address as the tables hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without port and brackets; `::ffff:a.b.c.d` is `a.b.c.d`. What cannot be read stays as written.
    pub ip: String,
    /// Port, if there was one.
    pub port: Option<i32>,
    /// `public`, `private`, `microsoft`, `loopback` or `invalid`.
    pub kind: &'static str,
}

/// Published Microsoft front ends that appear as the caller in audit records made through a portal or a service
/// [M: taken from the Microsoft 365 endpoint list; first, prefix length].
const MICROSOFT_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(20, 190, 128, 0), 18),
    (Ipv4Addr::new(40, 126, 0, 0), 18),
    (Ipv4Addr::new(13, 107, 6, 152), 31),
    (Ipv4Addr::new(13, 107, 18, 10), 31),
    (Ipv4Addr::new(40, 92, 0, 0), 15),
    (Ipv4Addr::new(40, 96, 0, 0), 13),
    (Ipv4Addr::new(40, 104, 0, 0), 15),
    (Ipv4Addr::new(40, 107, 0, 0), 16),
    (Ipv4Addr::new(52, 96, 0, 0), 14),
    (Ipv4Addr::new(52, 100, 0, 0), 14),
    (Ipv4Addr::new(104, 47, 0, 0), 17),
    (Ipv4Addr::new(132, 245, 0, 0), 16),
];
/// The same for IPv6.
const MICROSOFT_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2603, 0x1000, 0, 0, 0, 0, 0, 0), 24),
    (Ipv6Addr::new(0x2a01, 0x0110, 0, 0, 0, 0, 0, 0), 31),
    (Ipv6Addr::new(0x2620, 0x01ec, 0, 0, 0, 0, 0, 0), 36),
];

/// Reads an address; `None` for what is none: a word, or what somebody put in its place (`[REDACTED_IP]`), which would make
/// all who have it share an address. A damaged address is kept as written.
pub fn address(text: &str) -> Option<Address> {
    // a list (X-Forwarded-For): the first is the client
    let text = text.split(',').next().unwrap_or_default().trim();
    let form = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'[' | b']' | b'%');
    // a zone (`%eth0`) is a name
    let shaped = text.split('%').next().unwrap_or_default().bytes().all(form);
    if !shaped || !text.bytes().any(|b| matches!(b, b'.' | b':')) || !text.bytes().any(|b| b.is_ascii_hexdigit()) {
        return if text == "::" { Some(Address { ip: text.to_owned(), port: None, kind: "invalid" }) } else { None };
    }
    let (host, port) = split_port(text);
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        // the usual case; what parses is already written as it should be
        return Some(Address { ip: host.to_owned(), port, kind: kind(IpAddr::V4(ip)) });
    }
    let bare = host.split('%').next().unwrap_or_default();
    match bare.parse::<IpAddr>() {
        Ok(ip) => {
            let ip = ip.to_canonical();
            let mut out = String::with_capacity(bare.len());
            // writing to a String cannot fail
            let _ = write!(out, "{ip}");
            Some(Address { ip: out, port, kind: kind(ip) })
        }
        Err(_) => Some(Address { ip: text.to_owned(), port: None, kind: "invalid" }),
    }
}

/// `[v6]:port`, `v4:port`, or no port. A bare IPv6 address is never cut at its last colon.
fn split_port(text: &str) -> (&str, Option<i32>) {
    let port = |p: &str| p.parse::<u16>().ok().map(i32::from);
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(port));
    }
    match text.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => (host, port(rest)),
        _ => (text, None),
    }
}

fn kind(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            if ip.is_loopback() {
                "loopback"
            } else if ip.is_unspecified() || ip.is_broadcast() {
                "invalid"
            } else if ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b)) {
                "private"
            } else if MICROSOFT_V4.iter().any(|(net, len)| (u32::from(ip) ^ u32::from(*net)) >> (32 - len) == 0) {
                "microsoft"
            } else {
                "public"
            }
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            if ip.is_loopback() {
                "loopback"
            } else if ip.is_unspecified() {
                "invalid"
            } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 {
                "private"
            } else if MICROSOFT_V6.iter().any(|(net, len)| (u128::from(ip) ^ u128::from(*net)) >> (128 - len) == 0) {
                "microsoft"
            } else {
                "public"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (text, ip, port, kind) in [
            ("203.0.113.7", "203.0.113.7", None, "public"),
            ("203.0.113.7:12206", "203.0.113.7", Some(12206), "public"),
            ("[2001:db8::1]:52903", "2001:db8::1", Some(52903), "public"),
            ("2001:db8::1", "2001:db8::1", None, "public"),
            ("::1", "::1", None, "loopback"),
            ("::ffff:203.0.113.7", "203.0.113.7", None, "public"),
            ("203.0.113.7, 198.51.100.1", "203.0.113.7", None, "public"),
            ("10.1.2.3", "10.1.2.3", None, "private"),
            ("20.190.160.1", "20.190.160.1", None, "microsoft"),
            ("2603:1026:c03::5", "2603:1026:c03::5", None, "microsoft"),
            ("fe80::1%4", "fe80::1", None, "private"),
            ("0.0.0.0", "0.0.0.0", None, "invalid"),
            ("::2001:db8:add:4002:91f2:a9b2:e09a:6fc6", "::2001:db8:add:4002:91f2:a9b2:e09a:6fc6", None, "invalid"),
            ("300.1.2.3", "300.1.2.3", None, "invalid"),
            ("fe80::1%eth0", "fe80::1", None, "private"),
            ("::", "::", None, "invalid"),
        ] {
            assert_eq!(address(text), Some(Address { ip: ip.into(), port, kind }), "{text}");
        }
        for text in [
            "",
            "  ",
            "<null>",
            "null",
            "unknown",
            "-",
            "Not Available",
            "[REDACTED_IP]",
            "REDACTED",
            "x.x.x.x",
            "*.*.*.*",
            "abc",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
