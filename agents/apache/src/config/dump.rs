// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The configuration as `mod_info` writes it down.

/// With the ends of all sections. The module writes none where nothing is in a section; what belongs to
/// one stands two blanks further in.
pub(super) fn closed(dump: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(dump.len());
    let mut open: Vec<&[u8]> = Vec::new();
    for line in dump.split(|byte| *byte == b'\n') {
        let text = line.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let is_end = text.starts_with(b"</");
        let depth = (line.len() - text.len()) / 2 + usize::from(is_end);
        while open.len() > depth {
            close(&mut open, &mut out);
        }
        if is_end {
            close(&mut open, &mut out);
            continue;
        }
        if let Some(section) = text.strip_prefix(b"<") {
            let name = section.split(|byte| byte.is_ascii_whitespace() || *byte == b'>').next();
            open.push(name.unwrap_or_default());
        }
        out.extend_from_slice(text);
        out.push(b'\n');
    }
    out
}

fn close(open: &mut Vec<&[u8]>, out: &mut Vec<u8>) {
    if let Some(name) = open.pop() {
        out.extend([b"</", name, b">\n"].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As apache2 2.4.71 wrote it.
    #[test]
    fn a_section_without_contents_is_closed() {
        let dump = b"# In file: /run/ct/f.conf\n#  12:\n<Directory /x>\n#  15:\nServerName a.b\n\
            <VirtualHost *:80>\n  #  16:\n  <Location ~ /v>\n    #  17:\n    SetHandler server-status\n\
            \x20 </Location>\n  <Directory /y>\n  ServerName c\n</VirtualHost>\n<If x>\n";
        let expected = "<Directory /x>\n</Directory>\nServerName a.b\n<VirtualHost *:80>\n\
            <Location ~ /v>\nSetHandler server-status\n</Location>\n<Directory /y>\n</Directory>\n\
            ServerName c\n</VirtualHost>\n<If x>\n";
        assert_eq!(String::from_utf8(closed(dump)).unwrap(), expected);
    }
}
