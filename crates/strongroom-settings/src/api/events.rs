//! `GET /api/events`: the changes of secrets by this page, its application or another process.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_lite::future::or;
use futures_lite::stream::{Stream, StreamExt as _, once, unfold};
use serde_json::json;
use strongroom::Change;

use crate::gate::Session;
use crate::problem::Problem;
use crate::settings::Shared;

/// Returns a stream of changes. It ends with its session, after an event that announces the end.
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    Extension(Session(session)): Extension<Session>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let changes = shared.manager.subscribe()?;
    let events = unfold((changes, shared, session), async |(mut changes, shared, session)| {
        let next = async { changes.next().await };
        let ended = async {
            shared.access.ended(session.as_deref()).await;
            None
        };
        // Polls the end first, so that an ended session gets no further changes.
        let change = or(ended, next).await?;
        Some((event(&change), (changes, shared, session)))
    });
    let end = once(Event::default().event("end").data("{}"));
    Ok(Sse::new(events.chain(end).map(Ok)).keep_alive(KeepAlive::default()))
}

fn event(change: &Change) -> Event {
    Event::default().event("change").data(json!(change).to_string())
}
