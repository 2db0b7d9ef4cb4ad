//! Users of this machine, as they are named to people.

use std::fs;

use rustix::process::geteuid;

/// The user that this process acts as.
pub(crate) fn effective() -> u32 {
    geteuid().as_raw()
}

/// A user by name and number: `vic (uid 1001)`, or `uid 1001` where the system's file has no name.
pub(crate) fn described(uid: u32) -> String {
    match name(uid) {
        Some(name) => format!("{name} (uid {uid})"),
        None => format!("uid {uid}"),
    }
}

/// The name of a user, by `passwd(5)`, if it can be typed.
pub(crate) fn name(uid: u32) -> Option<String> {
    name_in(&fs::read_to_string("/etc/passwd").ok()?, uid)
}

fn name_in(passwd: &str, uid: u32) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        let can_be_typed = !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain);
        (number.parse() == Ok(uid) && can_be_typed).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nvic:x:1001:1001::/home/vic:/bin/sh\n\
                      -f:x:7:7::/:/bin/sh\n$(id):x:8:8::/:/bin/sh\n";
        assert_eq!(name_in(passwd, 1001).as_deref(), Some("vic"));
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        for unnamed in [7, 8, 1] {
            assert_eq!(name_in(passwd, unnamed), None);
        }
    }
}
