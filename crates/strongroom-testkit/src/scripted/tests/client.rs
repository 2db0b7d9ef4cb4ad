//! A client that makes bare calls in sequence.

use std::collections::HashMap;
use std::time::Duration;

use futures_lite::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::{
    Connection, DBusError as _, DynamicType, MatchRule, MessageStream, OwnedObjectPath,
    OwnedVariant, Type, Variant, connection, message,
};

use super::super::{Script, ScriptedService};
use crate::{Bus, Sandbox, wait::PATIENCE};

pub(super) const DESTINATION: &str = "org.freedesktop.secrets";
pub(super) const ROOT: &str = "/org/freedesktop/secrets";
pub(super) const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
pub(super) const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
pub(super) const NONE: &str = "/";

pub(super) type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
/// Unlocked and locked paths; or paths and a prompt.
pub(super) type Found = (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>);
pub(super) type Created = (OwnedObjectPath, OwnedObjectPath);

/// A service on a bus of its own.
pub(super) struct Fixture {
    pub(super) service: ScriptedService,
    pub(super) bus: Bus,
}

impl Fixture {
    pub(super) fn start(script: Script) -> Self {
        let bus = Bus::start(&Sandbox::new());
        let service = ScriptedService::start(bus.address(), script).expect("the name is free");
        Self { service, bus }
    }

    pub(super) fn client(&self) -> Client {
        let builder = connection::Builder::address(self.bus.address()).method_timeout(PATIENCE);
        let connection = zbus::block_on(builder.build()).expect("the bus is up");
        Client { connection }
    }

    pub(super) fn item(&self) -> String {
        self.service.add_item("login", "an item", &[("service", "app")], "value")
    }
}

pub(super) struct Client {
    pub(super) connection: Connection,
}

impl Client {
    /// Makes a call: the answer, or the error's name.
    pub(super) fn call<R>(
        &self,
        path: &str,
        method: &str,
        body: &(impl Serialize + DynamicType),
    ) -> Result<R, String>
    where
        R: DeserializeOwned + Type,
    {
        let (interface, member) = method.rsplit_once('.').expect("Interface.Method");
        let interface = match interface {
            "Properties" => "org.freedesktop.DBus.Properties".into(),
            name => format!("org.freedesktop.Secret.{name}"),
        };
        let call = self.connection.call_method(
            Some(DESTINATION),
            path,
            Some(interface.as_str()),
            member,
            body,
        );
        let reply = zbus::block_on(call).map_err(error_name)?;
        Ok(reply.body().deserialize().expect("the answer is of the right type"))
    }

    pub(super) fn search(&self) -> Result<Found, String> {
        self.call(ROOT, "Service.SearchItems", &HashMap::from([("service", "app")]))
    }

    pub(super) fn plain_session(&self) -> OwnedObjectPath {
        self.open("plain", Variant::from("")).expect("a session").1
    }

    pub(super) fn open(
        &self,
        algorithm: &str,
        input: Variant<'_>,
    ) -> Result<(OwnedVariant, OwnedObjectPath), String> {
        self.call(ROOT, "Service.OpenSession", &(algorithm, input))
    }

    pub(super) fn get(&self, item: &str, session: &OwnedObjectPath) -> Result<Vec<u8>, String> {
        let (secret,): (Secret,) = self.call(item, "Item.GetSecret", session)?;
        Ok(secret.2)
    }

    pub(super) fn set(
        &self,
        item: &str,
        session: &OwnedObjectPath,
        value: &[u8],
        content_type: &str,
    ) -> Result<(), String> {
        let secret = (session, Vec::<u8>::new(), value, content_type);
        self.call(item, "Item.SetSecret", &(secret,))
    }

    pub(super) fn create(
        &self,
        session: &OwnedObjectPath,
        value: &[u8],
        replace: bool,
    ) -> Result<Created, String> {
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant::from("an item")),
            (
                "org.freedesktop.Secret.Item.Attributes",
                Variant::from(HashMap::from([("service", "app")])),
            ),
        ]);
        let secret = (session, Vec::<u8>::new(), value, "text/plain");
        self.call(DEFAULT, "Collection.CreateItem", &(properties, secret, replace))
    }

    pub(super) fn unlock(&self, path: &str) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        let path = OwnedObjectPath::try_from(path).expect("a path");
        self.call(ROOT, "Service.Unlock", &vec![path]).expect("an answer")
    }

    pub(super) fn locked(&self) -> bool {
        let property = ("org.freedesktop.Secret.Collection", "Locked");
        let value: OwnedVariant = self.call(LOGIN, "Properties.Get", &property).expect("a value");
        value.try_into().expect("a boolean")
    }

    /// Listens for the end of a prompt; listen before you call it.
    pub(super) fn listen(&self) -> MessageStream {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .interface("org.freedesktop.Secret.Prompt")
            .member("Completed")
            .build()
            .expect("the rule is valid");
        let stream = MessageStream::for_match_rule(rule, &self.connection, None);
        zbus::block_on(stream).expect("the bus takes the rule")
    }

    /// Uses a prompt and tells how it ended: dismissed, and the result.
    pub(super) fn prompt(&self, prompt: &OwnedObjectPath) -> (bool, OwnedVariant) {
        let mut completions = self.listen();
        let called: Result<(), _> = self.call(prompt.as_str(), "Prompt.Prompt", &"");
        called.expect("the prompt is there");
        completed(&mut completions)
    }
}

/// Waits for the signal that ends a prompt.
pub(super) fn completed(completions: &mut MessageStream) -> (bool, OwnedVariant) {
    let signal = zbus::block_on(async {
        let runtime = zruntime::SharedRuntime::current().expect("a runtime");
        runtime.timeout(PATIENCE, completions.next()).await
    });
    let signal = signal.expect("the prompt ends").expect("the bus is up").expect("a signal");
    signal.body().deserialize().expect("a result")
}

fn error_name(error: zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, ..) => name.to_string(),
        zbus::Error::FDO(error) => error.name().to_string(),
        error => error.to_string(),
    }
}

/// Far longer than an answer on a quiet machine takes; waiting this long proves nothing came.
pub(super) const A_WHILE: Duration = Duration::from_millis(150);
