// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What servers say, recorded of apache2 2.4 on Debian 12.

use super::*;
use std::fs;

const RUN_CFG: &str = "ServerRoot: \"/etc/apache2\"\nMain DocumentRoot: \"/var/www/html\"\n\
    Main ErrorLog: \"/var/log/apache2/error.log\"\nMutex watchdog-callback: using_defaults\n\
    Mutex default: dir=\"/var/run/apache2/\" mechanism=default \n\
    PidFile: \"/var/run/apache2/apache2.pid\"\nDefine: STATUS\nDefine: DUMP_RUN_CFG\n\
    User: name=\"www-data\" id=33\nGroup: name=\"www-data\" id=33\n";

#[test]
fn the_servers_word_counts() {
    let dump = "# In file: /a\n#   1:\nListen 80\n";
    let text = format!("{dump}{RUN_CFG}");
    let (before, run) = split(text.as_bytes());
    assert_eq!((before, run), (dump.as_bytes(), RUN_CFG.as_bytes()));
    assert_eq!(split(run), (b"".as_slice(), run));
    assert_eq!(split(b"nothing"), (b"nothing".as_slice(), b"".as_slice()));
    assert_eq!(said(run, "PidFile"), Some(b"/var/run/apache2/apache2.pid".as_slice()));
    assert_eq!(said(run, "Nothing"), None);
    let read = Settings {
        pid_file: Some("/run/other.pid".into()),
        error_log: Some("/etc/apache2/logs/error_log".into()),
        ..Settings::default()
    };
    let settings = corrected(read, run);
    assert_eq!(settings.root.as_deref(), Some(Path::new("/etc/apache2")));
    assert_eq!(settings.pid_file.as_deref(), Some(Path::new("/var/run/apache2/apache2.pid")));
    assert_eq!(settings.error_log.as_deref(), Some(Path::new("/var/log/apache2/error.log")));
    // What is compiled in is no word of the configuration's.
    assert_eq!(corrected(Settings::default(), run).pid_file, None);
    assert_eq!(corrected(Settings::default(), b""), Settings::default());
}

/// What a server says, and the sentence of it.
const REFUSALS: &[(&str, &str)] = &[
    (
        "AH00526: Syntax error on line 11 of /x/t.conf:\nInvalid command 'Lsten', perhaps \
         misspelled or defined by a module not included in the server configuration\n",
        "/x/t.conf line 11: Invalid command 'Lsten': misspelled, or its module isn't loaded",
    ),
    (
        "apache2: Syntax error on line 10 of /x/t.conf: Include/IncludeOptional: No matches \
         for the wildcard '*.none' in '/x', failing\n",
        "/x/t.conf line 10: Include/IncludeOptional: No matches for the wildcard '*.none' in \
         '/x', failing",
    ),
    ("AH00543: apache2: bad user name nobody9\n", "/c.conf is refused: bad user name nobody9"),
    (
        "AH00534: apache2: Configuration error: No MPM loaded.\n",
        "/c.conf is refused: Configuration error: No MPM loaded.",
    ),
    (
        "AH00558: apache2: Could not reliably determine the server's fully qualified domain \
         name, using 127.0.0.1.\n(2)No such file or directory: AH02291: Cannot access \
         directory '/var/log/x/' for main error log\nAH00014: Configuration check failed\n",
        "/c.conf is refused: Cannot access directory '/var/log/x/' for main error log",
    ),
    (
        "apache2: Syntax error on line 10 of /x/t.conf: /x/t.conf:10: <Location> was not closed.\n",
        "/x/t.conf line 10: <Location> was not closed.",
    ),
    (
        "apache2: Syntax error on line 9 of /etc/apache2/httpd.conf: Could not open \
         configuration file /etc/apache2/sysconfig.d/include.conf: No such file or directory\n",
        "/etc/apache2/sysconfig.d/include.conf is missing: run start_apache2 -t, which writes it",
    ),
    (
        "AH00526: Syntax error on line 1 of -c/-C directives:\nInvalid command 'Lsten', perhaps \
         misspelled or defined by a module not included in the server configuration\n",
        "options: Invalid command 'Lsten': misspelled, or its module isn't loaded",
    ),
    (
        "apache2: illegal option -- Z\nUsage: apache2 [-D name] [-d directory] [-f file]\n  [-v]\n",
        "options has -Z, which the server doesn't take: remove it",
    ),
    (
        "Usage: apache2 [-D name] [-d directory] [-f file]\n",
        "options aren't taken by the server: correct them by its -h",
    ),
    ("", "/c.conf is refused: it doesn't say why"),
];

#[test]
fn a_refusal_names_file_line_and_cause() {
    let nested = "apache2: Syntax error on line 1 of /a.conf: ".to_owned()
        + &"Syntax error on line 2 of /b.conf: ".repeat(127)
        + "Exceeded maximum include depth of 128, There appears to be a recursion.\n";
    let recursion =
        "/b.conf line 2: Exceeded maximum include depth of 128, There appears to be a recursion.";
    for (text, expected) in REFUSALS.iter().chain(&[(nested.as_str(), recursion)]) {
        assert_eq!(refusal::sentence(text, Path::new("/c.conf")), *expected);
    }
}

#[test]
fn a_variable_without_a_value_is_named() {
    let path = std::env::temp_dir().join(format!("ocf-apache-refusal-{}", std::process::id()));
    fs::write(&path, "Listen 80\nDefaultRuntimeDir ${RUN_DIR}\n").unwrap();
    let file = path.display();
    let text = format!(
        "[Sun] [core:warn] [pid 5:tid 5] AH00111: Config variable ${{OTHER}} is not defined\n\
         [Sun] [core:warn] [pid 5:tid 5] AH00111: Config variable ${{RUN_DIR}} is not defined\n\
         apache2: Syntax error on line 2 of {file}: DefaultRuntimeDir must be a valid directory\n"
    );
    let expected = format!("{file} line 2: ${{RUN_DIR}} isn't defined: see envfiles");
    assert_eq!(refusal::sentence(&text, &path), expected);
    fs::remove_file(&path).unwrap();
}

#[test]
fn only_the_want_of_a_directory_that_will_be_made_is_forgiven() {
    let missing = [Path::new("/run/nope")];
    let access = "(2)No such file or directory: AH02291: Cannot access directory '/run/nope/' for \
                  main error log\nAH00014: Configuration check failed\n";
    let early = "apache2: Syntax error on line 2 of /a: DefaultRuntimeDir must be a valid directory, \
                 absolute or relative to ServerRoot\n";
    let mutex =
        "AH00526: Syntax error on line 2 of /a:\nInvalid Mutex directory in argument file:x\n";
    for text in [access, early, mutex] {
        assert!(refusal::is_want_of(text, &missing), "{text}");
        assert!(!refusal::is_want_of(text, &[]), "{text}");
    }
    assert!(!refusal::is_want_of(access, &[Path::new("/run/other")]));
    let other = "AH00526: Syntax error on line 2 of /a:\nInvalid command 'X'\n";
    assert!(!refusal::is_want_of(other, &missing) && !refusal::is_want_of("", &missing));
}
