//! Answers from history, away from the core: one thread for screens, one for what takes long.

use std::sync::{Arc, RwLock};

use crate::analyze::ForecastPlan;
use crate::base::{Beat, Queue, Timestamp};
use crate::engine::answer::{self, Context};
use crate::engine::guard::{Guard, Step};
use crate::engine::hub::{Hub, Wish};
use crate::engine::live::Head;
use crate::engine::{facts, future};
use crate::model::Catalog;
use crate::monitor::{Answer, Refusal, RefusalKind, Request};
use crate::store::Reader;

/// What is read from.
#[derive(Clone)]
pub(in crate::engine) struct Library {
    pub(in crate::engine) reader: Reader,
    pub(in crate::engine) head: Arc<RwLock<Head>>,
    pub(in crate::engine) hub: Hub,
    pub(in crate::engine) catalog: Arc<Catalog>,
    pub(in crate::engine) capacity: ForecastPlan,
}

impl Library {
    fn answer(&self, request: &Request) -> Result<Answer, Refusal> {
        let view = self.reader.view();
        if let Err(error) = &view {
            tracing::warn!(%error, "the history cannot be read");
        }
        let snapshot = self.hub.snapshot();
        let view = view.ok();
        let context = Context { head: Some(&self.head), view: view.as_ref(), catalog: &self.catalog, now: &snapshot };
        any(request, &context, &self.capacity)
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

/// Answers until the queue is closed.
pub(in crate::engine) fn run(library: &Library, wishes: &Queue<Wish>, beat: &Beat, mut guard: Guard) {
    while let Some(wish) = wishes.pop(None) {
        beat.mark();
        let answer = match guard.run(|| library.answer(&wish.request)) {
            Step::Done(answer) => answer,
            Step::Panicked | Step::Hopeless => {
                Err(Refusal::new(RefusalKind::Failed, "farol failed to answer this; the log says more"))
            }
        };
        (wish.reply)(answer);
    }
}
