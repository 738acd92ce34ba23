//! The table that is printed.

/// Rows of the result: what, measured, target, whether it was reached.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A heading.
    pub fn part(&mut self, name: &str) {
        self.rows.push([name.to_owned(), String::new(), String::new(), String::new()]);
    }

    /// A figure without a target.
    pub fn figure(&mut self, what: &str, measured: String) {
        println!("{what}: {measured}");
        self.rows.push([format!("  {what}"), measured, String::new(), String::new()]);
    }

    /// A figure with its target.
    pub fn target(&mut self, what: &str, measured: String, target: &str, reached: bool) {
        println!("{what}: {measured} (target {target})");
        self.rows.push([format!("  {what}"), measured, target.to_owned(), if reached { "reached" } else { "NOT REACHED" }.to_owned()]);
    }

    /// Prints all of it.
    pub fn print(&self) {
        let wide = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [wide(0), wide(1), wide(2)];
        println!();
        for [what, measured, target, reached] in &self.rows {
            println!("{}", format!("{what:<0$}  {measured:>1$}  {target:<2$}  {reached}", widths[0], widths[1], widths[2]).trim_end());
        }
    }
}
