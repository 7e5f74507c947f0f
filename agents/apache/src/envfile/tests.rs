// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files of variables, beside a real shell.

mod generated;

use super::*;
use crate::testing::Tree;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStringExt;

/// What every shell is started with here.
const INHERITED: &[(&str, &str)] =
    &[("PATH", "/usr/bin:/bin"), ("HOME", "/root"), ("INHERITED", "in herited"), ("EMPTY", "")];

/// What a real shell leaves exported.
#[expect(clippy::disallowed_methods, reason = "a real shell to compare with")]
fn by_shell(file: &Path) -> Variables {
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", ". \"$0\"; exec /usr/bin/env -0"])
        .arg(file)
        .env_clear()
        .envs(INHERITED.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{file:?}: {}", String::from_utf8_lossy(&output.stderr));
    let pairs = output.stdout.split(|byte| *byte == 0).filter(|pair| !pair.is_empty());
    let own = ["PWD", "OLDPWD", "_", "SHLVL"];
    pairs
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap();
            let (name, value) = pair.split_at(equals);
            (OsString::from_vec(name.to_vec()), OsString::from_vec(value[1..].to_vec()))
        })
        .filter(|(name, _)| !own.iter().any(|own| name == own))
        .collect()
}

fn by_us(file: &Path) -> (Variables, Vec<Problem>) {
    let inherited = INHERITED.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
    let mut shell = Shell::new(inherited);
    shell.file(file);
    (shell.exported(), shell.problems)
}

/// What is understood.
const UNDERSTOOD: &[&str] = &[
    "A=1\nexport B=2\nexport A\nC=3\n",
    "export A=1 B=2; export C='3 4' D=\"5 $A\"\n",
    "# comment\nexport A=a#b # comment\nexport B='#'\n",
    "INHERITED=new\nunset HOME\n",
    "export A=x\\\ny\nexport B='x\ny'\n",
    "export A=\"a\\\"b\\$c\\`d\\\\e\\f\" B=a\\ b C='a\\b' D=$\n",
    "export A=${NOPE} B=${NOPE-x} C=${NOPE:-x} D=${EMPTY-x} E=${EMPTY:-x} F=${HOME:-x}\n",
    "export A=${NOPE+x} B=${EMPTY+x} C=${EMPTY:+x} D=${HOME:+x} E=${NEW:=n} F=$NEW\n",
    "export A=${HOME#/} B=${HOME##*o} C=${HOME%t} D=${HOME%%o*} E=${#HOME}\n",
    "X=/a/b.c/d.e.f\nexport A=${X##*/} B=${X%/*} C=${X#*.} D=${X%.*} E=${X%%.*} F=${X##*.}\n",
    "X='a*b*c'\nexport A=\"${X#a*}\" B=\"${X#a'*'}\" C=\"${X##*[*]}\" D=\"${X%\"*c\"}\"\n",
    "X=~/x\nexport A=$X B=\"~/y\" C=~\n",
    "export A=${NOPE:-${HOME:-x}/y} B=\"${NOPE:-\"a b\"}\" C=${NOPE:-'a b'} D=\"${NOPE:-'a b'}\"\n",
    "if [ -n \"$HOME\" ]; then export A=1; else export A=2; fi\n",
    "if [ -z \"$HOME\" ]\nthen\n export A=1\nelif [ \"$EMPTY\" = \"\" ] ; then\n export A=2\nelse\n export A=3\nfi\n",
    "if [ \"$NOPE\" ]; then export A=1; fi; [ 1 -lt 2 ] && export B=1 || export B=2\n",
    "[ -f /etc/passwd ] && export A=1\n[ -d /etc/passwd ] || export B=1\ntest -e /nope || export C=1\n",
    "! [ x = y ] && export A=1\nif ! [ x = x ]; then export B=1; else export B=2; fi\n",
    "[ ! -e /nope -a x = x ] && export A=1; [ x = y -o z ] && export B=1; [ ! x = y ] && export C=1\n",
    "[ ] || export A=1; [ -n ] && export B=1; [ $EMPTY ] || export C=1; [ ! ] && export D=1\n",
    "[ x = y -o x = z -o a = a ] && export A=1\n[ x -a y -a \"\" ] || export B=1\n",
    "case $HOME in /home*) export A=1;; /root|/x) export A=2 ;; *) export A=3; esac\n",
    "case \"a*\" in \"a*\") export A=1;; esac\ncase ab in 'a*') ;; a?) export B=2;; esac\n",
    "case x in (y) export A=1;; (x) export A=2\n;;\nesac; export B=3\n",
    "{ export A=1; B=2; }; export B\n",
    "set -a\nA=1\nB=2\nset +a\nC=3\n",
    "set -o allexport; A=1; set +o allexport; B=1\n",
    "B=1; . @/more; export B; . @/more\n",
    "f() { export A=1; }\nexport B=1\n",
    "readonly A=1; export A\n",
    ": ${A:=x}\nexport A\n: \"${B=y z}\"; export B\n",
    "export A=$(hostname) B=\"`uname -n`\"\n",
    "export A=a\"b\"'c'd\nexport B=\"\"\nexport C=''x\n",
    "[ -r /etc/passwd ] 2>/dev/null && export A=1 >/dev/null 2>&1\n",
    "A=1 B=$A\nexport A B\n",
    "export A=$?\nfalse\nexport B=$?\n",
    "A='x y'; [ \"$A\" = \"x y\" ] && export A\n",
    "true && false || export A=1\nfalse && export B=1 || export C=1\n",
    "if false; then :; fi && export A=1\n",
    "PATH=$PATH:/opt/bin\nexport LD_LIBRARY_PATH=\"${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/x\"\n",
    "export A=\"\\\n1\"\nexport B=${HOME}_${HOME}x$HOME-y\n",
    "export A=x;export B=y;",
    "X=5; export A=$((1+X*2)) B=$(( (X - 1) << 2 )) C=\"$((X>4?X:0x10))\" D=$((NOPE+1)) E=$(($X%3))\n",
    "X=07; export A=$((X)) B=$((-X)) C=$((!X)) D=$((X == 7 && X < 8)) E=$((1+$((2*3))))\n",
    "for x in 1 '2 3' $HOME; do A=$A:$x; done; export A x\nfor y in; do export B=1; done\n",
    "for x in 1 2 3; do for y in 1 2; do [ $y = 2 ] && break; A=$A$x$y; done\n[ $x = 1 ] || continue; B=$x; done\nexport A B\n",
    "test -t 0 && stty sane\n[ -t 1 ] || export A=1\n",
    "type nonesuch >/dev/null 2>&1 || export A=1\nif command -v sh >/dev/null; then export B=1; fi\n",
    "command -v nonesuch >/dev/null 2>&1 && export A=1\nexport B=$(command -v sh) C=$(command -v test)\n",
    "if [ \"$(id -u)\" = 0 ]; then export A=1; fi\nexport B=$(id -un) C=$(uname -s) D=`uname -r 2>/dev/null`\n",
    "export A=a${IFS}b B=\"$IFS\"\n",
    "ulimit -c 0\nulimit -Sn 64\numask 022\nexport A=1\n",
    "export A='ü' B=\"\u{e9}\"\r\nexport C=1\r\n",
    "",
];

/// Everything that is understood leaves what a shell leaves.
#[test]
fn files_come_out_as_a_shell_has_them() {
    let tree = Tree::new("env-same");
    tree.write("more", "export MORE=$A\nB=changed\nreturn 0\nexport NEVER=1\n");
    let mut exported = BTreeSet::new();
    for (number, script) in UNDERSTOOD.iter().enumerate() {
        let file = tree.write(&format!("script-{number}"), script);
        let (ours, problems) = by_us(&file);
        assert_eq!(problems, [], "{script}");
        assert_eq!(ours, by_shell(&file), "{script}");
        exported.extend(ours.into_keys());
    }
    assert!(exported.len() > 10, "the shell exported nothing");
}

/// Debian's own file, of a first and of a second server.
#[test]
fn debians_own_file_comes_out_as_a_shell_has_it() {
    let tree = Tree::new("env-debian");
    // Of Debian 12's package, without its comments.
    let text = "unset HOME\n\
        if [ \"${APACHE_CONFDIR##/etc/apache2-}\" != \"${APACHE_CONFDIR}\" ] ; then\n\
        \tSUFFIX=\"-${APACHE_CONFDIR##/etc/apache2-}\"\nelse\n\tSUFFIX=\nfi\n\
        export APACHE_RUN_USER=www-data\nexport APACHE_RUN_GROUP=www-data\n\
        export APACHE_PID_FILE=/var/run/apache2$SUFFIX/apache2.pid\n\
        export APACHE_RUN_DIR=/var/run/apache2$SUFFIX\n\
        export APACHE_LOCK_DIR=/var/lock/apache2$SUFFIX\n\
        export APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n\
        export LANG=C\n#. /etc/default/locale\nexport LANG\n";
    for (directory, pid_file) in [
        ("/etc/apache2", "/var/run/apache2/apache2.pid"),
        ("/etc/apache2-two", "/var/run/apache2-two/apache2.pid"),
    ] {
        let script = format!("export APACHE_CONFDIR={directory}\n{text}");
        let file = tree.write("envvars", &script);
        let (ours, problems) = by_us(&file);
        assert_eq!(problems, []);
        assert_eq!(ours, by_shell(&file));
        assert_eq!(ours.get(OsStr::new("APACHE_PID_FILE")).unwrap(), pid_file);
        assert!(!ours.contains_key(OsStr::new("HOME")));
    }
}

/// What isn't understood is named with its line, is never run, and what stands around it counts.
#[test]
fn what_is_not_understood_is_named_and_never_run() {
    let tree = Tree::new("env-foreign");
    let scripts = [
        ("export A=1\nexport B=$(touch @/run)\nexport C=1\n", 2, "output of a command"),
        ("export A=1\nexport B=`touch @/run`\nexport C=1\n", 2, "output of a command"),
        ("export A=1\nexport B=$(hostname; touch @/run)\nexport C=1\n", 2, "output of a command"),
        ("export A=1\ntouch @/run\nexport C=1\n", 2, "a command"),
        ("export A=1\n\nfor x in @/*; do touch @/run; done\nexport C=1\n", 3, "a pattern's files"),
        ("export A=1\nwhile true; do touch @/run; done; export C=1\n", 2, "loop"),
        ("export A=1\ntrue | touch @/run\nexport C=1\n", 2, "pipe"),
        ("export A=1\n(touch @/run)\nexport C=1\n", 2, "subshell"),
        ("export A=1\ntouch @/run &\nexport C=1\n", 2, "background"),
        ("export A=1\neval touch @/run\nexport C=1\n", 2, "the command eval"),
        ("export A=1\n. /nope/nope\nexport C=1\n", 2, "cannot read the file"),
        ("export A=1\nexport B=$((1/0))\nexport C=1\n", 2, "an arithmetic expression"),
        ("export A=1\nexport B=$((B=1))\nexport C=1\n", 2, "an arithmetic expression"),
        ("export A=1\nexport B=$1\nexport C=1\n", 2, "only a shell has"),
        ("export A=1\n[ x = y z\nexport C=1\n", 2, "["),
        ("export A=1\n[[ x =~ y ]]\nexport C=1\n", 2, "[["),
        ("export A=1\nexport B=${NOPE:?touch}\nexport C=1\n", 2, "has to be set"),
        ("export A=1\nf() { touch @/run; }\nf\nexport C=1\n", 3, "a command"),
        ("export A=1\nexec touch @/run\nexport C=1\n", 2, "the command exec"),
        ("export A=1\nexport PW = touch\nexport C=1\n", 2, "no variable can have"),
    ];
    for (script, line, what) in scripts {
        let file = tree.write("script", script);
        let (ours, problems) = by_us(&file);
        assert_eq!(problems.len(), 1, "{script}: {problems:?}");
        assert_eq!((problems[0].line, problems[0].is_harmless), (line, false), "{problems:?}");
        assert!(problems[0].what.contains(what), "{script}: {problems:?}");
        for name in ["A", "C"] {
            assert_eq!(ours.get(OsStr::new(name)).unwrap(), "1", "{script}");
        }
        assert!(!tree.0.join("run").exists(), "{script}");
        let error = refuse(problems).unwrap_err();
        assert_eq!(error.kind, ocf::error::Kind::Installed);
        assert!(error.reason.starts_with(file.to_str().unwrap()), "{error}");
        for word in ["touch", "NOPE", "PW", "/nope", "=~"] {
            let said = error.reason.replace(file.to_str().unwrap(), "");
            assert!(!said.contains(word), "the file's own words, {script}: {error}");
        }
    }
}

/// Text that no shell would take is a sentence, too, and never a hang.
#[test]
fn garbage_is_a_sentence_and_never_a_trap() {
    let tree = Tree::new("env-garbage");
    let deep = format!("export A={}x{}\n", "${B:-".repeat(5000), "}".repeat(5000));
    let scripts = [
        "export A=1\nexport B='x",
        "export A=1\nexport B=\"x\n",
        "export A=1\nif true; then",
        "export A=1\nfi",
        "export A=1\nexport B=${x",
        "export A=1\nexport B=$(x",
        "export A=1\nexport B=`x",
        "export A=1\ncase x in",
        "export A=1\nexport 1x=2",
        "export A=1\ncat <<E\nE\n",
        "export A=1\n. @/script\n",
        "export A=1\n. @/script; . @/script\n",
        "export A=1\n)\n",
        "export A=1\nexport B=${x&y}\n",
        "export A=1\nexit 3\n",
        &deep,
        &format!("export A=1\n{}", "{ ".repeat(10_000)),
        &format!("export A=1\n{}", "if ".repeat(10_000)),
        &format!("export A=1\n{}", "( ".repeat(10_000)),
        "export A=1\nX=xxxxxxxxxxxxxxxx\nX=$X$X$X$X$X$X$X$X\nX=$X$X$X$X$X$X$X$X\nX=$X$X$X$X$X$X$X$X\n\
         X=$X$X$X$X$X$X$X$X\nX=$X$X$X$X$X$X$X$X\nX=$X$X$X$X$X$X$X$X\nX=$X$X$X$X$X$X$X$X\n",
        &format!("export A=1\nX={}\nexport B=${{X##{}b}}\n", "a".repeat(9999), "*a".repeat(999)),
        &format!("export A=1\ncase {} in {}b) ;; esac\n", "a".repeat(60_000), "*a".repeat(9999)),
    ];
    for script in scripts {
        let file = tree.write("script", script);
        let (ours, problems) = by_us(&file);
        assert!(!problems.is_empty(), "{script}");
        assert!(script.len() > 9999 || ours[OsStr::new("A")] == "1", "{script}: {ours:?}");
        refuse(problems).unwrap_err();
    }
    let binary: Vec<u8> = (0..=255_u8).cycle().take(100_000).collect();
    fs::write(tree.0.join("binary"), binary).unwrap();
    let (_, problems) = by_us(&tree.0.join("binary"));
    assert!(!problems.is_empty());
    let big = tree.0.join("big");
    fs::File::create(&big).unwrap().set_len(2 << 20).unwrap();
    let error = refuse(by_us(&big).1).unwrap_err();
    let expected =
        format!("{} cannot be read: it is too big: write plain assignments", big.display());
    assert_eq!(error.reason, expected);
}

/// What changes no variable is worth a warning, not a failure.
#[test]
fn what_has_no_effect_is_only_warned_of() {
    let tree = Tree::new("env-harmless");
    let text = "echo hello >&2\ncd /tmp\nmkdir -p @/made\nalias ll=ls\numask u=rwx\nexport A=1\n";
    let (ours, problems) = by_us(&tree.write("script", text));
    assert_eq!(problems.len(), 5, "{problems:?}");
    assert_eq!(ours[OsStr::new("A")], "1");
    assert!(!tree.0.join("made").exists());
    refuse(problems).unwrap();
}

/// Where `sh` is bash, as on Red Hat, files have it.
#[test]
fn double_brackets_are_bashs() {
    let tree = Tree::new("env-brackets");
    let cases = [
        ("[[ -n $HOME && $HOME == /r* ]]", true),
        ("[[ -n $NOPE || ! -d /etc ]]", false),
        ("[[ $HOME == \"/r*\" ]]", false),
        ("[[ $INHERITED = in?herited && 3 -lt 20 ]]", true),
        ("[[ ( x != y* ) && ( -z $NOPE ) ]]", true),
        ("! [[ $HOME ]]", false),
        ("[[ -f /etc/passwd &&\n -e / ]]", true),
    ];
    for (test, expected) in cases {
        let file = tree.write("script", &format!("export A=1\n{test} && export A=2\n"));
        let (ours, problems) = by_us(&file);
        assert_eq!(problems, [], "{test}");
        assert_eq!(ours[OsStr::new("A")] == "2", expected, "{test}");
    }
}

/// What a file that is read at every stop may cost.
#[test]
fn a_flood_of_variables_comes_to_an_end() {
    let tree = Tree::new("env-flood");
    let many: String = (0..9000).map(|number| format!("export A{number}=$X\n")).collect();
    let words = "x ".repeat(100_000);
    for script in [
        format!("X={}\n{many}", "x".repeat(60_000)),
        format!("for a in {words}; do for b in {words}; do :; done; done\n"),
        format!("export A={}id -u{}\n", "$(".repeat(5000), ")".repeat(5000)),
        format!("export A={}1{}\n", "$((".repeat(5000), "))".repeat(5000)),
        format!("[[ {}x ]]\n", "( ".repeat(5000)),
        format!("[[ {}x ]]\n", "! ".repeat(5000)),
    ] {
        let (ours, problems) = by_us(&tree.write("script", &script));
        assert!(!problems.is_empty());
        assert!(ours.values().map(|value| value.len()).sum::<usize>() < 32 << 20);
    }
}
