//! The conformance suite on the real providers, and on a scripted one without encryption.
#![cfg(target_os = "linux")]

mod support;

mod gnome_keyring {
    use std::sync::LazyLock;

    use strongroom_testkit::{Bus, GnomeKeyring};

    use crate::support;

    static RUNNING: LazyLock<(Bus, GnomeKeyring)> = LazyLock::new(support::gnome_keyring);

    strongroom_conformance::conformance_tests!(|| support::store(&RUNNING.0));

    mod kept_lines {
        use crate::support;

        strongroom_conformance::conformance_tests!(|| support::keeping_store(&super::RUNNING.0));
    }
}

mod kwallet {
    use std::sync::LazyLock;

    use strongroom_testkit::{Bus, KWallet};

    use crate::support;

    static RUNNING: LazyLock<(Bus, KWallet)> = LazyLock::new(|| {
        let bus = support::bus();
        let wallet = KWallet::start(&bus, support::PASSWORD);
        (bus, wallet)
    });

    strongroom_conformance::conformance_tests!(|| support::store(&RUNNING.0));
}

mod plain_session {
    use std::sync::LazyLock;

    use strongroom_testkit::Bus;
    use strongroom_testkit::scripted::{DhBehaviour, Script, ScriptedService};

    use crate::support;

    static RUNNING: LazyLock<(Bus, ScriptedService)> = LazyLock::new(|| {
        support::scripted(Script { dh: DhBehaviour::Refused, ..Script::default() })
    });

    strongroom_conformance::conformance_tests!(|| support::lenient_store(&RUNNING.0));
}
