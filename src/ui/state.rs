//! What the screen knows beside the snapshots: where one looks, what is chosen, what was fetched.
//!
//! Changed by `update` only; panes read it. Invariant: a choice names a thing (process and start,
//! alert id), never a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use super::chart_keys::ChartKeys;
use super::charts::{ChartStore, CpuTracks};
use super::explore::Explore;
use super::format::Clock;
use super::inside::Inside;
use super::keymap::{Chord, Keymap};
use super::layout::Layout;
use super::lists::{Filters, Lists};
use super::overlay::{Overlay, Toast};
use super::process_list::ProcessChoice;
use super::settings::SettingsPage;
use super::widgets::Graph;
use super::widgets::units::Units;
use crate::base::{TimeRange, Timestamp};
use crate::model::{Alert, JournalEntry, PastCheck, Prediction, ProcessId, SeriesKey, ServiceStatus, Snapshot};
use crate::monitor::{Link, Scope};

pub use super::columns::{Sort, SortColumn};

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum View {
    /// Everything at a glance.
    #[default]
    Overview,
    /// All services and the chosen one.
    Services,
    /// All alerts, or the opened one.
    Alerts,
    /// All predictions and the chosen one.
    Predictions,
    /// The time line, and what is different.
    History,
    /// All processes.
    Processes,
    /// Cores, modes, load.
    Cpu,
    /// Memory and swap.
    Memory,
    /// File systems and devices.
    Disks,
    /// Interfaces and connections.
    Network,
    /// Temperatures, fans, power.
    Sensors,
    /// Units of systemd and containers.
    Units,
    /// farol itself.
    Farol,
    /// Every metric there is.
    Metrics,
    /// What is set.
    Settings,
}

impl View {
    /// All pages, in the order of their digits.
    pub const ALL: [Self; 15] = [
        Self::Overview,
        Self::Services,
        Self::Alerts,
        Self::Predictions,
        Self::History,
        Self::Processes,
        Self::Cpu,
        Self::Memory,
        Self::Disks,
        Self::Network,
        Self::Sensors,
        Self::Units,
        Self::Farol,
        Self::Metrics,
        Self::Settings,
    ];

    /// Its name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Services => "Services",
            Self::Alerts => "Alerts",
            Self::Predictions => "Predictions",
            Self::History => "History",
            Self::Processes => "Processes",
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Disks => "Disks",
            Self::Network => "Network",
            Self::Sensors => "Sensors",
            Self::Units => "Units",
            Self::Farol => "farol",
            Self::Metrics => "Metrics",
            Self::Settings => "Settings",
        }
    }

    /// Its name in files: in a layout, and as an action.
    pub fn id(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Services => "services",
            Self::Alerts => "alerts",
            Self::Predictions => "predictions",
            Self::History => "history",
            Self::Processes => "processes",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disks => "disks",
            Self::Network => "network",
            Self::Sensors => "sensors",
            Self::Units => "units",
            Self::Farol => "farol",
            Self::Metrics => "metrics",
            Self::Settings => "settings",
        }
    }

    /// Its place among the pages, from 0.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|v| *v == self).unwrap_or(0)
    }
}

/// The order of the process list, which is made anew every few seconds only: rows that jump cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// When it was made.
    pub at: Timestamp,
    /// The page, the sorting, the filter and tree or list it was made for.
    pub made_for: (View, Sort, String, bool),
    /// The first rows.
    pub ids: Vec<ProcessId>,
}

/// What is chosen in each list; `None`: the first row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// A process.
    pub process: Option<ProcessId>,
    /// A service by name.
    pub service: Option<String>,
    /// An alert by id.
    pub alert: Option<String>,
    /// A prediction by id.
    pub prediction: Option<String>,
}

/// What a page shows in detail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An alert by id.
    Alert(String),
    /// A service by name.
    Service(String),
    /// A prediction by id.
    Prediction(String),
}

/// What was fetched about the thing shown in detail.
#[derive(Debug, Clone)]
pub struct Focus {
    /// The thing.
    pub subject: Subject,
    /// The span its charts show, up to now.
    pub range: TimeRange,
    /// Its series: its own, for an alert also those that moved with it, with bands where they were learned.
    pub charts: ChartStore,
    /// What is looked at over a month (what is left of a service's promise).
    pub long: ChartStore,
    /// Journal of the span, oldest first; empty until it came.
    pub journal: Vec<JournalEntry>,
    /// The last checks of a service, and of which last one they were asked for.
    pub checks: (Option<Timestamp>, Vec<PastCheck>),
}

/// What the History page fetched beside the charts.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The span it shows.
    pub range: TimeRange,
    /// `health_score` over the span.
    pub charts: ChartStore,
    /// Alerts of the span, newest first.
    pub alerts: Vec<Arc<Alert>>,
    /// Journal of the span, oldest first.
    pub journal: Vec<JournalEntry>,
}

/// A moment other than the present.
#[derive(Debug, Clone)]
pub struct Past {
    /// The moment of the time cursor.
    pub at: Timestamp,
    /// The machine then; the newest one known until the asked one came.
    pub snapshot: Arc<Snapshot>,
    /// Right edge of the charts; the cursor lies within them.
    pub chart_end: Timestamp,
    /// Points of the charts around it; `None` while the live ones reach that far.
    pub charts: Option<ChartStore>,
    /// Held still by Space: the moment is the last one seen, not one looked up.
    pub frozen: bool,
    /// CPU use of the processes up to the present, for the way back.
    pub cpu: CpuTracks,
}

/// How the screen looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Name of the theme.
    pub theme: String,
    /// What graphs are made of.
    pub graph: Graph,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: "dark".to_owned(), graph: Graph::Braille }
    }
}

/// Everything the screen knows beside the newest snapshot.
#[derive(Debug, Clone)]
pub struct UiState {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The page.
    pub view: View,
    /// The chosen alert or process is open.
    pub open: bool,
    /// The time cursor; `None`: the present.
    pub past: Option<Past>,
    /// Span of the past in a chart.
    pub span: Duration,
    /// What is chosen.
    pub selected: Selected,
    /// Order of the processes.
    pub sort: Sort,
    /// Processes below their parents.
    pub tree: bool,
    /// Services as tiles.
    pub grid: bool,
    /// Words of `/`, one for each page by [`View::index`]; empty: everything.
    pub filter: [String; View::ALL.len()],
    /// The same, understood.
    pub filters: Filters,
    /// The process that is looked at in full.
    pub inside: Option<Inside>,
    /// What was chosen of the process list.
    pub processes: ProcessChoice,
    /// Alerts of the last days that are over and not in the snapshot any more, newest first; fetched for the page of alerts.
    pub older: Arc<[Arc<Alert>]>,
    /// The newest end of an alert when `older` was asked for; `None` before.
    pub older_until: Option<Option<Timestamp>>,
    /// The lists in the order shown.
    pub lists: Lists,
    /// Where processes stand until the next sorting.
    pub places: Places,
    /// The series of the four charts.
    pub keys: ChartKeys,
    /// Series the page needs beside those of the four charts.
    pub extra: Vec<SeriesKey>,
    /// When learned bands were asked for, for which span and series.
    pub banded: Option<(Timestamp, Duration, Vec<SeriesKey>)>,
    /// Points of the charts up to the present.
    pub charts: ChartStore,
    /// CPU use of the processes over the minute before the moment shown; empty for one that was looked up.
    pub cpu: CpuTracks,
    /// What is shown in detail.
    pub focus: Option<Focus>,
    /// Response times of the services listed, over the last half hour; `None` elsewhere than on their page.
    pub responses: Option<ChartStore>,
    /// The History page's time line.
    pub timeline: Option<Timeline>,
    /// The moment compared with, set by a key.
    pub mark: Option<(Timestamp, Arc<Snapshot>)>,
    /// Moments to come back to, oldest first.
    pub bookmarks: Vec<Timestamp>,
    /// Time goes on from the moment shown, this many times as fast.
    pub play: Option<u32>,
    /// What is chosen on the page of metrics.
    pub explore: Explore,
    /// What is set, and where one is on its page.
    pub settings: SettingsPage,
    /// Arrangements of panes there are; never empty.
    pub layouts: Arc<[Layout]>,
    /// The one that applies.
    pub layout_at: usize,
    /// Panes that are not shown, by name.
    pub hidden: BTreeSet<String>,
    /// The pane keys are meant for, by name.
    pub pane: Option<String>,
    /// The pane that has the whole page, by name.
    pub enlarged: Option<String>,
    /// First row of a list without a choice.
    pub scroll: usize,
    /// How it looks.
    pub look: Look,
    /// Names of all themes.
    pub themes: Arc<[String]>,
    /// What lies over the page, the last on top.
    pub overlays: Vec<Overlay>,
    /// The answer to the last wish, for a while.
    pub toast: Option<Toast>,
    /// Channels that were told of an alert, by its id.
    pub told: BTreeMap<String, Vec<String>>,
    /// Which keys do what.
    pub keymap: Arc<Keymap>,
    /// Whether this screen runs on the machine it shows, so that processes can be sent signals.
    pub reaches_processes: bool,
    /// Name typed for the report that is being made.
    pub export_name: Option<String>,
    /// Step of the tour in the last line; `None`: seen or left.
    pub tour: Option<usize>,
    /// Keys typed so far of an action with several.
    pub typed: Vec<Chord>,
    /// Who decides here.
    pub author: String,
    /// The newest snapshot.
    pub live: Arc<Snapshot>,
    /// Where the snapshots come from.
    pub link: Link,
    /// What may be asked.
    pub scope: Scope,
    /// The zone of all times shown, and how hours are counted.
    pub zone: Clock,
    /// How sizes and temperatures are written.
    pub units: Units,
}

impl UiState {
    /// The overview, live, nothing chosen.
    pub fn new(size: (u16, u16), zone: impl Into<Clock>) -> Self {
        Self {
            size,
            view: View::Overview,
            open: false,
            past: None,
            span: Duration::from_secs(3600),
            selected: Selected::default(),
            sort: Sort::default(),
            tree: false,
            grid: false,
            filter: Default::default(),
            filters: Filters::default(),
            inside: None,
            processes: ProcessChoice::default(),
            older: Arc::default(),
            older_until: None,
            lists: Lists::default(),
            places: Places::default(),
            keys: ChartKeys::default(),
            extra: Vec::new(),
            banded: None,
            charts: ChartStore::new(Duration::from_secs(3)),
            cpu: CpuTracks::default(),
            focus: None,
            responses: None,
            timeline: None,
            mark: None,
            bookmarks: Vec::new(),
            play: None,
            explore: Explore::default(),
            settings: SettingsPage::default(),
            layouts: Layout::all(None, &super::panes::unknown_pane).0.into(),
            layout_at: 0,
            hidden: BTreeSet::new(),
            pane: None,
            enlarged: None,
            scroll: 0,
            look: Look::default(),
            themes: super::theme::Theme::names(None).into(),
            overlays: Vec::new(),
            toast: None,
            told: BTreeMap::new(),
            keymap: Arc::default(),
            reaches_processes: false,
            export_name: None,
            tour: None,
            typed: Vec::new(),
            author: String::new(),
            live: Arc::new(Snapshot::empty(Arc::default())),
            link: Link::Own,
            scope: Scope::Read,
            zone: zone.into(),
            units: Units::default(),
        }
    }

    /// The machine at the moment shown.
    pub fn shown(&self) -> &Arc<Snapshot> {
        self.past.as_ref().map_or(&self.live, |p| &p.snapshot)
    }

    /// The alert that decisions are about: the chosen one, on other pages the worst that fires.
    pub fn chosen_alert(&self) -> Option<&Arc<Alert>> {
        let snapshot = self.shown();
        if self.view == View::Alerts {
            let row = self.lists.alert_row(snapshot, &self.selected);
            return self.lists.alerts.get(row).and_then(|i| self.lists.alert(snapshot, *i));
        }
        let open = |a: &&Arc<Alert>| !a.is_quiet() && a.acknowledged.is_none();
        snapshot.firing().find(open).or_else(|| snapshot.firing().next())
    }

    /// The chosen service.
    pub fn chosen_service(&self) -> Option<&ServiceStatus> {
        let row = self.lists.service_row(self.shown(), &self.selected);
        self.lists.services.get(row).and_then(|i| self.shown().services.get(*i))
    }

    /// The chosen prediction.
    pub fn chosen_prediction(&self) -> Option<&Prediction> {
        let row = self.lists.prediction_row(self.shown(), &self.selected);
        self.lists.predictions.get(row).and_then(|i| self.shown().predictions.get(*i))
    }

    /// The arrangement that applies to the page: one that does not name it leaves it to the first.
    pub fn layout(&self) -> &Layout {
        let own = self.layouts.get(self.layout_at).filter(|l| l.has(self.view));
        own.or(self.layouts.first()).expect("there is a built-in layout")
    }

    /// The words of `/` on this page.
    pub fn filter(&self) -> &str {
        &self.filter[self.view.index()]
    }

    /// The charts of the moment shown.
    pub fn charts_shown(&self) -> &ChartStore {
        self.past.as_ref().and_then(|p| p.charts.as_ref()).unwrap_or(&self.charts)
    }
}
