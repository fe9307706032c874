//! Answers from history, away from the core: one thread for screens, one for what takes long.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::analyze::ForecastPlan;
use crate::base::{Beat, Queue, Timestamp};
use crate::engine::answer::{self, Context};
use crate::engine::configure::{Change, Configurator};
use crate::engine::event::Event;
use crate::engine::exchange::{Judging, Reread};
use crate::engine::guard::Spare;
use crate::engine::hub::{Hub, Reply, Wish};
use crate::engine::live::Head;
use crate::engine::{facts, future, kept};
use crate::model::{Catalog, Prices};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};
use crate::store::Reader;

/// What is read from.
#[derive(Clone)]
pub(in crate::engine) struct Library {
    pub(in crate::engine) reader: Reader,
    pub(in crate::engine) head: Arc<RwLock<Head>>,
    pub(in crate::engine) hub: Hub,
    pub(in crate::engine) catalog: Arc<Catalog>,
    pub(in crate::engine) capacity: Arc<RwLock<ForecastPlan>>,
    pub(in crate::engine) prices: Arc<RwLock<Prices>>,
    /// Where reports are kept.
    pub(in crate::engine) kept: PathBuf,
    pub(in crate::engine) judging: Arc<RwLock<Arc<Judging>>>,
}

impl Library {
    fn answer(&self, request: &Request) -> Result<Answer, Refusal> {
        let view = self.reader.view();
        if let Err(error) = &view {
            tracing::warn!(%error, "the history cannot be read");
        }
        if let (Request::KeptReport { report }, Ok(view)) = (request, &view) {
            return kept::read(view, &self.kept, report);
        }
        let snapshot = self.hub.snapshot();
        let view = view.ok();
        let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (head, view, catalog) = (Some(&*self.head), view.as_ref(), &self.catalog);
        let judging = Arc::clone(&self.judging.read().unwrap_or_else(PoisonError::into_inner));
        let context = Context { head, view, catalog, now: &snapshot, prices: &prices, judging: &judging };
        let capacity = *self.capacity.read().unwrap_or_else(PoisonError::into_inner);
        any(request, &context, &capacity)
    }
}

/// Answers whatever only reads.
pub(in crate::engine) fn any(request: &Request, context: &Context<'_>, capacity: &ForecastPlan) -> Result<Answer, Refusal> {
    match request {
        Request::Report(spec) => facts::report(spec, context),
        Request::Forecast { selector, horizon } => future::asked(selector, *horizon, context, capacity, Timestamp::now()),
        request => answer::answer(request, context),
    }
}

/// What becomes of a wish away from the core.
enum Done {
    Answer(Result<Answer, Refusal>),
    Reread(Result<(Box<Reread>, Option<Change>), String>),
}

/// Answers until the queue is closed.
pub(in crate::engine) fn run(
    library: &Library,
    wishes: &Queue<Wish>,
    (configurator, events): (&Configurator, &Queue<Event>),
    (beat, mut guard): (&Beat, Spare),
) {
    while let Some(Wish { request, reply }) = wishes.pop(None) {
        beat.mark();
        let step = guard.run(|| match &request {
            Request::Reload => Done::Reread(configurator.reread()),
            Request::Settings => Done::Answer(configurator.settings()),
            Request::ChangeSettings { .. }
            | Request::UndoSettings { .. }
            | Request::ApplyProposal { .. }
            | Request::UndoLesson { .. } => Done::Reread(configurator.change(&request)),
            request => Done::Answer(library.answer(request)),
        });
        let refuse = |reply: Reply, kind, message: &str| reply(Err(Refusal::new(kind, message)));
        match step {
            Some(Done::Answer(answer)) => reply(answer),
            Some(Done::Reread(reread)) => {
                let (reread, reply) = match reread {
                    Ok((reread, Some(change))) => (Ok(reread), configurator.settled(change, reply)),
                    other => (other.map(|(reread, _)| reread), reply),
                };
                if let Err(Event::Reread(_, reply)) = events.push(Event::Reread(reread, reply)) {
                    refuse(reply, RefusalKind::Unavailable, "the engine is ending or overloaded; ask again in a moment");
                }
            }
            None => refuse(reply, RefusalKind::Failed, "farol failed to answer this; the log says more"),
        }
    }
}
