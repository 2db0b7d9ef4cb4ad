//! The store keeps the contract.

mod support;

use support::Server;

strongroom_conformance::conformance_tests!({
    let server = Server::start();
    move || server.store()
});
