//! The pg_cron jobs: which there are, and what is wrong with one, judged from what pg_cron has recorded.

use chrono::{NaiveDateTime, TimeDelta};

use super::cron::{Schedule, minute_of};
use super::health::Status;

/// The jobs that the schedule functions make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Evaluation,
    Watchdog,
    Alerts,
    DueReminders,
    Summaries,
}

/// How the alarm of the watchdog begins. Its job fails by raising it, which is what it is for.
pub const ALARM: &str = "the daily evaluation needs attention";

/// A job is late when it has not started this long after it was due: a busy pg_cron starts jobs a little later.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

impl Kind {
    pub const ALL: [Self; 5] = [Self::Evaluation, Self::Watchdog, Self::Alerts, Self::DueReminders, Self::Summaries];

    /// The job's name, unique per role.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "assignment_reminders daily evaluation",
            Self::Watchdog => "assignment_reminders daily evaluation watchdog",
            Self::Alerts => "assignment_reminders alerts",
            Self::DueReminders => "assignment_reminders due reminders",
            Self::Summaries => "assignment_reminders daily summaries",
        }
    }

    /// What the job runs, up to its arguments: runs of jobs that are gone are known by it.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Evaluation => "SELECT * FROM assignment_reminders.run_daily_evaluation(",
            Self::Watchdog => "SELECT assignment_reminders.watch_daily_evaluation(",
            Self::Alerts => "SELECT count(*) FROM assignment_reminders.enqueue_alerts(",
            Self::DueReminders => "SELECT count(*) FROM assignment_reminders.enqueue_due_reminders()",
            Self::Summaries => "SELECT count(*) FROM assignment_reminders.enqueue_daily_summaries()",
        }
    }

    /// The function that makes it.
    #[must_use]
    pub const fn made_by(self) -> &'static str {
        match self {
            Self::Evaluation | Self::Watchdog | Self::Alerts => "schedule_daily_evaluation()",
            Self::DueReminders | Self::Summaries => "schedule_delivery_jobs()",
        }
    }

    /// Whether one is made and removed along with the other.
    #[must_use]
    pub fn goes_with(self, other: Self) -> bool {
        self.made_by() == other.made_by()
    }

    /// How bad it is when it does not do its work. Without the watchdog and alerts nothing is late; only nobody would hear of it.
    const fn weight(self) -> Status {
        match self {
            Self::Watchdog | Self::Alerts => Status::Warning,
            Self::Evaluation | Self::DueReminders | Self::Summaries => Status::Critical,
        }
    }
}

/// What is known of pg_cron and of our jobs. All moments are in pg_cron's time zone, as its schedules are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub now: NaiveDateTime,
    /// This database.
    pub database: String,
    /// The database that pg_cron runs jobs from; `None` where it is not loaded.
    pub home: Option<String>,
    pub is_launching: bool,
    /// Whether pg_cron records the runs at all.
    pub is_recording: bool,
    /// The last run that is logged as succeeded, whoever called it.
    pub last_success: Option<NaiveDateTime>,
    /// Since when there has been no run: the start of the last one that was not skipped, or the installation.
    pub without_run_since: Option<NaiveDateTime>,
    pub jobs: Vec<Job>,
    /// Jobs that ran for this database not long ago, and are gone.
    pub gone: Vec<Kind>,
}

/// A job of ours, as far as the caller may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub kind: Kind,
    pub id: i64,
    pub name: String,
    pub role: String,
    pub schedule: String,
    /// Where it runs.
    pub database: String,
    pub is_active: bool,
    pub is_running: bool,
    /// How its last run that ended did: `None` where it never ended one.
    pub last_end: Option<End>,
    /// When it last started, where pg_cron dates that.
    pub last_start: Option<NaiveDateTime>,
    /// Whether it has ever begun a run, dated or not.
    pub has_run: bool,
    /// Since when it is there at the latest, where anything tells.
    pub known_since: Option<NaiveDateTime>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Succeeded,
    Failed { message: String, at: Option<NaiveDateTime> },
}

/// What is wrong with the jobs, each with how bad it is.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<(Status, String)> {
    let mut findings = Vec::new();
    if facts.jobs.is_empty() {
        // pg_cron is not what starts the runs here, as far as this role may see.
        return findings;
    }
    findings.extend(standstill(facts));
    for job in &facts.jobs {
        if job.database == facts.database {
            findings.extend(failure(facts, job));
            findings.extend(lateness(facts, job));
        } else {
            findings.push(elsewhere(facts, job));
        }
    }
    for kind in Kind::ALL {
        if facts.jobs.iter().any(|job| job.kind == kind) {
            continue;
        }
        let partner = facts.jobs.iter().find(|job| job.kind.goes_with(kind));
        if let Some(partner) = partner {
            let reason = format!(
                "the pg_cron job \"{}\" is missing, though \"{}\", which is made with it, is there: call {} again",
                kind.name(),
                partner.name,
                kind.made_by()
            );
            findings.push((Status::Warning, reason));
        } else if facts.gone.contains(&kind) {
            let reason = format!("the pg_cron job \"{}\" ran not long ago and is gone", kind.name());
            findings.push((Status::Warning, reason));
        }
    }
    findings
}

/// Why pg_cron runs none of the jobs of this database.
fn standstill(facts: &Facts) -> Option<(Status, String)> {
    match &facts.home {
        None => Some((
            Status::Critical,
            "pg_cron is not loaded and runs no job: add it to shared_preload_libraries and restart".to_string(),
        )),
        Some(home) if *home != facts.database => Some((
            Status::Critical,
            format!("pg_cron runs no job of this database: cron.database_name is {home}, not {}", facts.database),
        )),
        Some(_) if !facts.is_launching => {
            Some((Status::Critical, "pg_cron runs no job: cron.launch_active_jobs is off".to_string()))
        }
        Some(_) => None,
    }
}

/// A job keeps the name of its database when that is renamed.
fn elsewhere(facts: &Facts, job: &Job) -> (Status, String) {
    let Job { kind, id, name, role, database, .. } = job;
    let fault = format!("the pg_cron job \"{name}\" runs in the database {database}");
    if name == kind.name() {
        let advice = format!("was it renamed? Call {} as {role} again", kind.made_by());
        (kind.weight(), format!("{fault}, not in this one, {}: {advice}", facts.database))
    } else {
        // Made for another database than this one, which cannot see it: pg_cron's tables are only here.
        let advice =
            format!("if it was renamed, schedule the job under its new name; then SELECT cron.unschedule({id})");
        (Status::Warning, format!("{fault}, which is not there: {advice}"))
    }
}

fn failure(facts: &Facts, job: &Job) -> Option<(Status, String)> {
    let Some(End::Failed { message, at }) = &job.last_end else { return None };
    if job.kind == Kind::Watchdog && message.contains(ALARM) {
        return None;
    }
    // The first line says what happened; DETAIL, HINT and CONTEXT follow.
    let what = message.lines().next().unwrap_or_default();
    let advice = if what.contains("connection failed") {
        " (pg_cron connects as a client and was not let in: set cron.use_background_workers = on)"
    } else {
        ""
    };
    let is_made_good =
        job.kind == Kind::Evaluation && at.is_some_and(|at| facts.last_success.is_some_and(|run| run > at));
    let weight = if is_made_good { Status::Warning } else { job.kind.weight() };
    Some((weight, format!("the pg_cron job \"{}\" failed when it last ran: {what}{advice}", job.name)))
}

fn lateness(facts: &Facts, job: &Job) -> Option<(Status, String)> {
    if !job.is_active {
        // Somebody switched it off, and may well know why.
        return Some((Status::Warning, format!("the pg_cron job \"{}\" is not active", job.name)));
    }
    // A job that is running is not started anew; and where nothing is recorded, or not when, there is nothing to tell from.
    if job.is_running || !facts.is_recording || job.has_run && job.last_start.is_none() {
        return None;
    }
    let since = job.last_start.or(job.known_since)?;
    let since = match (job.kind, facts.last_success) {
        // Whoever called it, the run that was due has been.
        (Kind::Evaluation, Some(success)) => since.max(success),
        _ => since,
    };
    let due = Schedule::parse(&job.schedule)?.next_after(since)?;
    if due > facts.now.checked_sub_signed(PATIENCE)? {
        return None;
    }
    let never = if job.has_run {
        format!("has not run since {}", minute_of(since).format("%Y-%m-%d %H:%M"))
    } else {
        "has never run".to_string()
    };
    let due = due.format("%Y-%m-%d %H:%M");
    Some((job.kind.weight(), format!("the pg_cron job \"{}\" {never}, although it was due at {due}", job.name)))
}

/// Whether a moment has passed at which a job should have made a daily run, and there has been none since. `None` where no job
/// tells: another scheduler may be at work.
#[must_use]
pub fn has_missed_run(facts: &Facts) -> Option<bool> {
    let makes_runs = |job: &&Job| job.kind == Kind::Evaluation && job.is_active && job.database == facts.database;
    let due = facts.jobs.iter().filter(makes_runs).filter_map(|job| next_run(facts, job)).min()?;
    Some(due <= facts.now.checked_sub_signed(PATIENCE)?)
}

/// When the job should make the next daily run after the last one.
fn next_run(facts: &Facts, job: &Job) -> Option<NaiveDateTime> {
    // Of the starts, the one that goes on: one that made a run is logged there, and one that failed or was skipped made none.
    let running_since = job.last_start.filter(|_| job.is_running);
    let since = [facts.without_run_since, running_since, job.known_since].into_iter().flatten().max()?;
    Schedule::parse(&job.schedule).filter(Schedule::is_exact)?.next_after(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a moment")
    }

    /// Made on the 20th, ran this morning.
    fn job(kind: Kind) -> Job {
        Job {
            kind,
            id: 3,
            name: kind.name().to_string(),
            role: "owner".to_string(),
            schedule: "0 6 * * *".to_string(),
            database: "here".to_string(),
            is_active: true,
            is_running: false,
            last_end: Some(End::Succeeded),
            last_start: Some(at("2026-11-25 06:00")),
            has_run: true,
            known_since: Some(at("2026-11-20 12:00")),
        }
    }

    fn healthy() -> Facts {
        Facts {
            now: at("2026-11-25 12:00"),
            database: "here".to_string(),
            home: Some("here".to_string()),
            is_launching: true,
            is_recording: true,
            last_success: Some(at("2026-11-25 06:00")),
            without_run_since: Some(at("2026-11-25 06:00")),
            jobs: Kind::ALL.map(job).to_vec(),
            gone: vec![],
        }
    }

    /// What is found when one job is another.
    fn with(change: impl Fn(&mut Job)) -> Vec<(Status, String)> {
        let mut facts = healthy();
        change(&mut facts.jobs[3]);
        findings(&facts)
    }

    fn failed(message: &str) -> End {
        End::Failed { message: message.to_string(), at: None }
    }

    #[test]
    fn jobs_that_run_are_no_news() {
        assert_eq!(findings(&healthy()), []);
    }

    #[test]
    fn where_no_job_is_ours_another_scheduler_is_at_work() {
        let facts = Facts { jobs: vec![], home: None, gone: Kind::ALL.to_vec(), ..healthy() };
        assert_eq!(findings(&facts), []);
    }

    #[test]
    fn a_job_that_failed_is_told_with_the_first_line_of_its_message() {
        let found = with(|job| job.last_end = Some(failed("ERROR:  out of memory\nDETAIL:  all of it")));
        let reason =
            "the pg_cron job \"assignment_reminders due reminders\" failed when it last ran: ERROR:  out of memory";
        assert_eq!(found, [(Status::Critical, reason.to_string())]);
    }

    #[test]
    fn a_failed_connection_names_the_setting() {
        let found = with(|job| job.last_end = Some(failed("connection failed")));
        assert!(found[0].1.contains("cron.use_background_workers = on"), "{found:?}");
    }

    #[test]
    fn the_watchdogs_alarm_is_no_failure_and_another_failure_of_it_is_a_warning() {
        let watchdog = |message: &str| {
            let mut facts = healthy();
            facts.jobs[1].last_end = Some(failed(message));
            findings(&facts)
        };
        assert_eq!(watchdog(&format!("ERROR:  {ALARM}: the last run is missing\nDETAIL:  ...")), []);
        assert_eq!(watchdog("connection failed")[0].0, Status::Warning);
    }

    #[test]
    fn an_alarm_of_another_job_than_the_watchdog_is_a_failure() {
        assert_eq!(with(|job| job.last_end = Some(failed(ALARM))).len(), 1);
    }

    #[test]
    fn a_failed_run_that_was_made_good_by_hand_is_a_warning() {
        let failed_at = |at: Option<NaiveDateTime>| {
            let mut facts = healthy();
            facts.jobs[0].last_end = Some(End::Failed { message: "ERROR".to_string(), at });
            findings(&facts)[0].0
        };
        assert_eq!(failed_at(Some(at("2026-11-25 05:59"))), Status::Warning);
        assert_eq!(failed_at(Some(at("2026-11-25 06:01"))), Status::Critical);
        assert_eq!(failed_at(None), Status::Critical, "nothing tells when it failed");
    }

    #[test]
    fn a_job_is_late_five_minutes_after_it_was_due() {
        let late = |now: &str| {
            let mut facts = healthy();
            facts.jobs[3].schedule = "0 12 * * *".to_string();
            facts.now = at(now);
            findings(&facts)
        };
        assert_eq!(late("2026-11-25 12:04"), []);
        let reason = "the pg_cron job \"assignment_reminders due reminders\" has not run since 2026-11-25 06:00, although it was due at 2026-11-25 12:00";
        assert_eq!(late("2026-11-25 12:05"), [(Status::Critical, reason.to_string())]);
    }

    #[test]
    fn a_job_that_never_ran_is_late_only_if_it_is_known_to_have_been_there() {
        let never = |known_since: Option<&str>| {
            with(|job| {
                (job.last_end, job.last_start, job.has_run) = (None, None, false);
                job.known_since = known_since.map(at);
            })
        };
        assert_eq!(never(None), []);
        assert_eq!(never(Some("2026-11-25 06:00")), [], "made after this morning's moment");
        let reason = "the pg_cron job \"assignment_reminders due reminders\" has never run, although it was due at 2026-11-25 06:00";
        assert_eq!(never(Some("2026-11-25 05:59")), [(Status::Critical, reason.to_string())]);
    }

    #[test]
    fn a_job_that_runs_or_whose_runs_are_not_recorded_or_not_dated_is_not_late() {
        let late = |job: &mut Job| job.last_start = Some(at("2026-11-20 06:00"));
        assert_eq!(with(late).len(), 1);
        assert_eq!(
            with(|job| {
                late(job);
                job.is_running = true;
            }),
            []
        );
        assert_eq!(with(|job| job.last_start = None), [], "pg_cron 1.4 does not date what could not connect");
        let mut facts = Facts { is_recording: false, ..healthy() };
        late(&mut facts.jobs[3]);
        assert_eq!(findings(&facts), []);
    }

    #[test]
    fn a_daily_run_that_somebody_else_made_is_not_late() {
        let mut facts = healthy();
        facts.jobs[0].last_start = Some(at("2026-11-20 06:00"));
        assert_eq!(findings(&facts), []);
        facts.last_success = None;
        assert_eq!(findings(&facts).len(), 1);
    }

    #[test]
    fn a_job_that_is_switched_off_is_told() {
        assert_eq!(with(|job| job.is_active = false)[0].0, Status::Warning);
    }

    #[test]
    fn a_job_of_a_database_that_was_renamed_is_told_with_both_names() {
        let found = with(|job| {
            job.database = "before".to_string();
            job.last_end = Some(failed("connection failed"));
        });
        assert_eq!(found.len(), 1, "its failures follow from that: {found:?}");
        assert!(found[0].1.contains("runs in the database before, not in this one, here"), "{found:?}");
        assert!(found[0].1.contains("schedule_delivery_jobs() as owner"), "{found:?}");
        assert_eq!(found[0].0, Status::Critical);
    }

    #[test]
    fn a_job_that_was_made_for_another_database_is_a_warning_where_that_is_gone() {
        let found = with(|job| {
            job.name = format!("{} in elsewhere", job.kind.name());
            job.database = "elsewhere".to_string();
        });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, Status::Warning);
        assert!(found[0].1.contains("SELECT cron.unschedule(3)"), "{found:?}");
    }

    #[test]
    fn one_of_a_pair_alone_is_told_and_a_pair_that_is_gone_while_its_runs_are_fresh() {
        let mut facts = healthy();
        facts.jobs.truncate(4);
        assert_eq!(findings(&facts).len(), 1);
        assert!(findings(&facts)[0].1.contains("call schedule_delivery_jobs() again"));
        facts.jobs.truncate(3);
        assert_eq!(findings(&facts), [], "nobody scheduled the others");
        facts.gone = vec![Kind::DueReminders];
        assert_eq!(findings(&facts).len(), 1);
        assert_eq!(findings(&facts)[0].0, Status::Warning);
    }

    #[test]
    fn jobs_that_an_earlier_version_made_are_missed_beside_its_others() {
        let mut facts = healthy();
        facts.jobs.retain(|job| job.kind != Kind::Alerts);
        assert_eq!(findings(&facts).len(), 1);
        assert!(findings(&facts)[0].1.contains("call schedule_daily_evaluation() again"), "{facts:?}");
    }

    #[test]
    fn nothing_runs_where_pg_cron_is_not_loaded_or_at_home_elsewhere_or_launches_nothing() {
        for facts in [
            Facts { home: None, ..healthy() },
            Facts { home: Some("postgres".to_string()), ..healthy() },
            Facts { is_launching: false, ..healthy() },
        ] {
            assert_eq!(findings(&facts).len(), 1);
            assert_eq!(findings(&facts)[0].0, Status::Critical);
        }
    }

    /// Whether a run was missed by now, where one job makes them on weekdays, the last time on Friday the 20th.
    fn missed(now: &str, change: impl Fn(&mut Facts)) -> Option<bool> {
        let evaluation = Job {
            schedule: "0 6 * * 1-5".to_string(),
            last_start: Some(at("2026-11-20 06:00")),
            known_since: None,
            ..job(Kind::Evaluation)
        };
        let mut facts = Facts {
            now: at(now),
            without_run_since: Some(at("2026-11-20 06:00")),
            jobs: vec![evaluation, job(Kind::DueReminders)],
            ..healthy()
        };
        change(&mut facts);
        has_missed_run(&facts)
    }

    #[test]
    fn a_run_is_missed_five_minutes_after_its_schedule_says_and_on_no_day_without_one() {
        assert_eq!(missed("2026-11-22 12:00", |_| {}), Some(false), "a Sunday");
        assert_eq!(missed("2026-11-23 06:04", |_| {}), Some(false));
        assert_eq!(missed("2026-11-23 06:05", |_| {}), Some(true));
    }

    #[test]
    fn no_schedule_tells_of_a_run_where_no_job_makes_it_at_moments_that_can_be_foretold() {
        let by = |change: &dyn Fn(&mut Job)| missed("2026-11-25 12:00", |facts| change(&mut facts.jobs[0]));
        assert_eq!(by(&|_| {}), Some(true));
        assert_eq!(by(&|job| job.kind = Kind::Watchdog), None);
        assert_eq!(by(&|job| job.is_active = false), None);
        assert_eq!(by(&|job| job.database = "elsewhere".to_string()), None);
        for schedule in ["@reboot", "0 0 31 2 *", "0 6 1 * 1"] {
            assert_eq!(by(&|job| job.schedule = schedule.to_string()), None, "{schedule}");
        }
        assert_eq!(
            missed("2026-11-25 12:00", |facts| facts.without_run_since = None),
            None,
            "nothing tells since when"
        );
    }

    #[test]
    fn a_start_is_a_run_only_while_it_goes_on() {
        let started = |now: &str, is_running: bool, last_end: End| {
            missed(now, |facts| {
                let job = &mut facts.jobs[0];
                (job.last_start, job.is_running, job.last_end) =
                    (Some(at("2026-11-23 06:00")), is_running, Some(last_end.clone()));
            })
        };
        assert_eq!(started("2026-11-23 06:10", true, End::Succeeded), Some(false));
        assert_eq!(started("2026-11-24 06:05", true, End::Succeeded), Some(true), "it hangs");
        assert_eq!(started("2026-11-23 06:10", false, failed("connection failed")), Some(true));
        assert_eq!(started("2026-11-23 06:10", false, End::Succeeded), Some(true), "it was skipped: no run is logged");
    }

    #[test]
    fn a_job_misses_no_run_of_before_it_was_there() {
        let made =
            |known_since: &str| missed("2026-11-23 12:00", |facts| facts.jobs[0].known_since = Some(at(known_since)));
        assert_eq!(made("2026-11-23 05:59"), Some(true));
        assert_eq!(made("2026-11-23 06:00"), Some(false));
    }

    #[test]
    fn of_several_jobs_one_that_should_have_made_a_run_is_enough() {
        let with_another = |schedule: &str| {
            missed("2026-11-22 12:00", |facts| {
                facts.jobs.push(Job { schedule: schedule.to_string(), known_since: None, ..job(Kind::Evaluation) });
            })
        };
        assert_eq!(with_another("0 6 * * *"), Some(true));
        assert_eq!(with_another("0 6 * * 3"), Some(false));
        assert_eq!(with_another("@reboot"), Some(false), "the other one tells");
    }
}
