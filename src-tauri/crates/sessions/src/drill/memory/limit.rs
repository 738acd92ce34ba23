//! How many files a process may have open: a connection is one on each end.

use crate::Error;

/// Files that a process has open besides its connections: the runtime's, standard streams, and some to spare.
const OTHERS: u64 = 64;

/// Lets this process open as many files as it may (on Unix: the soft limit is raised to the hard one).
pub fn raise() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = u64::from(super::MOST_CONNECTIONS) + OTHERS;
        let current = limit.maximum.map_or(wanted, |most| most.min(wanted.max(limit.current.unwrap_or(0))));
        if limit.current.is_some_and(|now| now < current) {
            // Should it fail, the check before said what there is.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum });
        }
    }
}

/// Connections that fit the limit; none where there is no limit.
fn most() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Nofile);
        limit.maximum.map(|most| most.saturating_sub(OTHERS))
    }
    #[cfg(not(unix))]
    None
}

/// What of a series fits the limit on open files.
pub fn fitting(series: &[u32]) -> Vec<u32> {
    within(series, most())
}

fn within(series: &[u32], most: Option<u64>) -> Vec<u32> {
    series.iter().copied().filter(|&n| most.is_none_or(|most| u64::from(n) <= most)).collect()
}

/// That every number of the series fits.
///
/// # Errors
/// `file-limit`: the system lets a process open fewer files; the error offers what fits.
pub(super) fn check(series: &[u32]) -> Result<(), Error> {
    refuse(series, most())
}

fn refuse(series: &[u32], most: Option<u64>) -> Result<(), Error> {
    let fits = within(series, most);
    let (Some(most), true) = (most, fits.len() < series.len()) else { return Ok(()) };
    let wanted = u64::from(series.iter().copied().max().unwrap_or_default()) + OTHERS;
    let offer = fits.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let next = if offer.is_empty() {
        format!("Raise the limit to {wanted} (ulimit -n {wanted}, or LimitNOFILE of the service), then try again.")
    } else {
        format!("Use the series {offer}, or raise the limit to {wanted} (ulimit -Hn {wanted}).")
    };
    Err(Error::new(
        "configuration",
        "file-limit",
        format!("The system lets a process have {} files open; {wanted} are needed.", most + OTHERS),
        "Nothing was started.",
        format!("RLIMIT_NOFILE: hard limit {}", most + OTHERS),
        &next,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_and_a_series_that_fits_is_offered() {
        assert!(refuse(&[1, 1000], None).is_ok() && refuse(&[1, 1000], Some(1000)).is_ok());
        let error = refuse(&[1, 10, 100, 1000], Some(192)).unwrap_err().0;
        assert_eq!((error.code.as_str(), error.blame.as_str()), ("file-limit", "configuration"));
        assert!(error.message.contains("256 files open; 1064") && error.next.starts_with("Use the series 1,10,100,"), "{error:?}");
        assert!(refuse(&[1000], Some(10)).unwrap_err().0.next.starts_with("Raise the limit to 1064"));
    }
}
