//! The parser of typed formulas, such as `y = tanh(a * x + b)`, one on a line. A line of numbers alone, such as `x = [1, 2]`,
//! gives an input its elements. What follows `#` is a comment.

use std::fmt;

/// A place in the text, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Number of the line.
    pub line: usize,
    /// Number of the character in the line.
    pub column: usize,
}

/// What is wrong with the text, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The place.
    pub place: Place,
    /// What is wrong, with what was expected.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.place.line, self.place.column, self.message)
    }
}

/// An expression with the place of its operator, its function or its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// The place.
    pub place: Place,
    /// The kind.
    pub kind: Kind,
}

/// A kind of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(f32),
    /// A name.
    Name(String),
    /// −a
    Negative(Box<Expression>),
    /// a + b, a − b, a·b or a/b, by the character of the operator.
    Binary(char, Box<[Expression; 2]>),
    /// A function of its arguments, by name.
    Call(String, Vec<Expression>),
}

/// The right side of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The extents and elements of an input.
    Elements(Vec<usize>, Vec<f32>),
    /// A formula.
    Formula(Expression),
}

/// A line `name = …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The place of the name.
    pub place: Place,
    /// The name.
    pub name: String,
    /// The right side.
    pub meaning: Meaning,
}

/// The deepest nesting that is read, so that the parser's recursion ends.
const DEEPEST: usize = 64;
/// The most operators of a line. A chain of them nests as deep as it is long.
const MOST_OPERATORS: usize = 500;

/// Reads all lines of `text`. Empty lines are left out.
///
/// # Errors
/// The first mistake.
pub fn parse(text: &str) -> Result<Vec<Line>, Mistake> {
    let mut lines = vec![];
    for (i, text) in text.lines().enumerate() {
        let mut parser = Parser { tokens: tokens(text, i + 1)?, next: 0, depth: 0, operators: 0 };
        if parser.peek() != &Token::End {
            lines.push(parser.line()?);
        }
    }
    Ok(lines)
}

/// The value of an expression of numbers alone.
pub fn folded(operator: char, a: f32, b: f32) -> f32 {
    match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        _ => a / b,
    }
}

impl Expression {
    /// The value, if the expression consists of numbers alone.
    fn number(&self) -> Option<f32> {
        match &self.kind {
            Kind::Number(value) => Some(*value),
            Kind::Negative(a) => Some(-a.number()?),
            Kind::Binary(operator, ab) => Some(folded(*operator, ab[0].number()?, ab[1].number()?)),
            Kind::Name(_) | Kind::Call(..) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f32),
    Name(String),
    Symbol(char),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "{value}"),
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
            Self::End => write!(f, "the end of the line"),
        }
    }
}

/// The tokens of a line with their places, the end included.
fn tokens(text: &str, line: usize) -> Result<Vec<(Place, Token)>, Mistake> {
    let text: Vec<char> = text.chars().take_while(|c| *c != '#').collect();
    let mut tokens = vec![];
    let mut i = 0;
    while let Some(&first) = text.get(i) {
        let place = Place { line, column: i + 1 };
        let start = i;
        i += 1;
        let token = match first {
            _ if first.is_whitespace() => continue,
            '0'..='9' | '.' => {
                let exponent = |i: usize| matches!(text[i - 1], 'e' | 'E') && matches!(text[i], '+' | '-');
                while i < text.len() && (text[i].is_ascii_alphanumeric() || text[i] == '.' || exponent(i)) {
                    i += 1;
                }
                let number: String = text[start..i].iter().collect();
                let value = number.parse().ok().filter(|value: &f32| value.is_finite());
                Token::Number(value.ok_or_else(|| Mistake { place, message: format!("`{number}` is no number") })?)
            }
            _ if first.is_alphabetic() || first == '_' => {
                while i < text.len() && (text[i].is_alphanumeric() || text[i] == '_') {
                    i += 1;
                }
                Token::Name(text[start..i].iter().collect())
            }
            '+' | '-' | '*' | '/' | '(' | ')' | '[' | ']' | ',' | '=' => Token::Symbol(first),
            _ => return Err(Mistake { place, message: format!("`{first}` is no part of a formula") }),
        };
        tokens.push((place, token));
    }
    let end = Place { line, column: text.iter().rposition(|c| !c.is_whitespace()).map_or(1, |last| last + 2) };
    tokens.push((end, Token::End));
    Ok(tokens)
}

/// A reader of one line, by recursive descent.
struct Parser {
    /// Ends with [`Token::End`], which is never passed.
    tokens: Vec<(Place, Token)>,
    next: usize,
    depth: usize,
    operators: usize,
}

type Parsed<T> = Result<T, Mistake>;

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn place(&self) -> Place {
        self.tokens[self.next].0
    }

    fn take(&mut self) -> (Place, Token) {
        let token = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    /// Takes the symbol, if it comes next.
    fn takes(&mut self, symbol: char) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        if found {
            self.take();
        }
        found
    }

    fn mistake<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Mistake { place: self.place(), message: message.into() })
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        self.mistake(format!("expected {what}, found {}", self.peek()))
    }

    fn expect(&mut self, symbol: char, what: &str) -> Parsed<()> {
        if self.takes(symbol) { Ok(()) } else { self.expected(what) }
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return self.mistake(format!("more than {DEEPEST} levels of nesting; give a part of the formula a name"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn line(&mut self) -> Parsed<Line> {
        let place = self.place();
        let Token::Name(name) = self.peek().clone() else { return self.expected("a name and `=`") };
        self.take();
        self.expect('=', "`=` after the name")?;
        let meaning = match self.peek() {
            Token::Symbol('[') => {
                let mut elements = vec![];
                let extents = self.array(&mut elements)?;
                Meaning::Elements(extents, elements)
            }
            _ => {
                let formula = self.sum()?;
                match formula.number() {
                    Some(value) => Meaning::Elements(vec![1], vec![value]),
                    None => Meaning::Formula(formula),
                }
            }
        };
        match self.peek() {
            Token::End => Ok(Line { place, name, meaning }),
            _ => self.expected("an operator or the end of the line"),
        }
    }

    /// Reads an array into `elements`, and returns its extents.
    fn array(&mut self, elements: &mut Vec<f32>) -> Parsed<Vec<usize>> {
        self.deeper(|parser| {
            parser.expect('[', "`[`")?;
            let mut inner: Option<Vec<usize>> = None;
            let mut count = 0;
            loop {
                let place = parser.place();
                let extents = match parser.peek() {
                    Token::Symbol('[') => parser.array(elements)?,
                    _ => {
                        elements.push(parser.signed()?);
                        vec![]
                    }
                };
                if *inner.get_or_insert_with(|| extents.clone()) != extents {
                    return Err(Mistake { place, message: "all rows must have one length".into() });
                }
                count += 1;
                if !parser.takes(',') {
                    break;
                }
            }
            parser.expect(']', "`,` or `]`")?;
            Ok([vec![count], inner.unwrap_or_default()].concat())
        })
    }

    fn signed(&mut self) -> Parsed<f32> {
        let sign = if self.takes('-') { -1.0 } else { 1.0 };
        let Token::Number(value) = *self.peek() else { return self.expected("a number") };
        self.take();
        Ok(sign * value)
    }

    fn sum(&mut self) -> Parsed<Expression> {
        self.deeper(|parser| parser.chain(['+', '-'], Self::product))
    }

    fn product(&mut self) -> Parsed<Expression> {
        self.chain(['*', '/'], Self::factor)
    }

    /// Operands with operators between them, from left to right.
    fn chain(&mut self, operators: [char; 2], operand: fn(&mut Self) -> Parsed<Expression>) -> Parsed<Expression> {
        let mut left = operand(self)?;
        while let Token::Symbol(operator) = *self.peek() {
            if !operators.contains(&operator) {
                break;
            }
            self.operators += 1;
            if self.operators > MOST_OPERATORS {
                return self.mistake("the formula is too long; give a part of it a name");
            }
            let (place, _) = self.take();
            left = Expression { place, kind: Kind::Binary(operator, Box::new([left, operand(self)?])) };
        }
        Ok(left)
    }

    fn factor(&mut self) -> Parsed<Expression> {
        let (place, token) = (self.place(), self.peek().clone());
        let kind = match token {
            Token::Number(value) => {
                self.take();
                Kind::Number(value)
            }
            Token::Name(name) => {
                self.take();
                if self.takes('(') { Kind::Call(name, self.arguments()?) } else { Kind::Name(name) }
            }
            Token::Symbol('-') => {
                self.take();
                Kind::Negative(Box::new(self.deeper(Self::factor)?))
            }
            Token::Symbol('(') => {
                self.take();
                let inner = self.sum()?;
                self.expect(')', "an operator or `)`")?;
                return Ok(inner);
            }
            _ => return self.expected("a name, a number, a function, `-` or `(`"),
        };
        Ok(Expression { place, kind })
    }

    fn arguments(&mut self) -> Parsed<Vec<Expression>> {
        let mut arguments = vec![self.sum()?];
        while self.takes(',') {
            arguments.push(self.sum()?);
        }
        self.expect(')', "an operator, `,` or `)`")?;
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    /// The formula in Polish notation.
    fn polish(text: &str) -> String {
        fn write(e: &Expression) -> String {
            match &e.kind {
                Kind::Number(value) => value.to_string(),
                Kind::Name(name) => name.clone(),
                Kind::Negative(a) => format!("(neg {})", write(a)),
                Kind::Binary(operator, ab) => format!("({operator} {} {})", write(&ab[0]), write(&ab[1])),
                Kind::Call(name, arguments) => {
                    format!("({name} {})", arguments.iter().map(write).collect::<Vec<_>>().join(" "))
                }
            }
        }
        match &parse(text).unwrap()[0].meaning {
            Meaning::Formula(e) => write(e),
            elements => format!("{elements:?}"),
        }
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        assert_eq!(polish("y = tanh(a * x + b)"), "(tanh (+ (* a x) b))");
        assert_eq!(polish("y = a - b - c / d * e"), "(- (- a b) (* (/ c d) e))");
        assert_eq!(polish("y = -a * -(b + 1.5e-1)"), "(* (neg a) (neg (+ b 0.15)))");
        assert_eq!(polish("y=matmul(a,b)#a comment"), "(matmul a b)");
        assert_eq!(polish("größe = x_1 * .5"), "(* x_1 0.5)");
    }

    #[test]
    fn numbers_alone_are_the_elements_of_an_input() {
        let elements = |text: &str| parse(text).unwrap()[0].meaning.clone();
        assert_eq!(elements("x = -1 / 4"), Meaning::Elements(vec![1], vec![-0.25]));
        assert_eq!(elements("x = [1, -2.5, 3e2]"), Meaning::Elements(vec![3], vec![1.0, -2.5, 300.0]));
        let matrix = Meaning::Elements(vec![3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(elements("x = [[1, 2], [3, 4], [5, 6]]"), matrix);
    }

    #[test]
    fn empty_lines_are_left_out_and_places_count_from_one() {
        let lines = parse("\n# nothing\n  a = 1\ny = a * a").unwrap();
        assert_eq!([lines[0].place, lines[1].place], [(3, 3), (4, 1)].map(|(line, column)| Place { line, column }));
        let Meaning::Formula(formula) = &lines[1].meaning else { panic!("{lines:?}") };
        assert_eq!(formula.place, Place { line: 4, column: 7 });
    }

    #[test]
    fn mistakes_say_where_and_what_was_expected() {
        let operand = "expected a name, a number, a function, `-` or `(`, found";
        assert_eq!(mistake("y = tanh("), format!("line 1, column 10: {operand} the end of the line"));
        assert_eq!(mistake("a = 1\ny = a * )"), format!("line 2, column 9: {operand} `)`"));
        assert_eq!(
            mistake("y = tanh(a"),
            "line 1, column 11: expected an operator, `,` or `)`, found the end of the line"
        );
        assert_eq!(mistake("y = (a b)"), "line 1, column 8: expected an operator or `)`, found `b`");
        assert_eq!(mistake("y = a b"), "line 1, column 7: expected an operator or the end of the line, found `b`");
        assert_eq!(mistake("tanh(x)"), "line 1, column 5: expected `=` after the name, found `(`");
        assert_eq!(mistake("3 = x"), "line 1, column 1: expected a name and `=`, found 3");
        assert_eq!(mistake("y = a % b"), "line 1, column 7: `%` is no part of a formula");
        assert_eq!(mistake("y = 1.2.3"), "line 1, column 5: `1.2.3` is no number");
        assert_eq!(mistake("y = 1e99"), "line 1, column 5: `1e99` is no number");
        assert_eq!(mistake("x = [1, a]"), "line 1, column 9: expected a number, found `a`");
        assert_eq!(mistake("x = [[1, 2], [3]]"), "line 1, column 14: all rows must have one length");
        assert_eq!(mistake("x = [1, 2"), "line 1, column 10: expected `,` or `]`, found the end of the line");
    }

    #[test]
    fn what_never_ends_is_refused() {
        for part in ["(", "-", "[", "f("] {
            assert!(mistake(&format!("y = {}", part.repeat(100_000))).contains("levels of nesting"), "{part}");
        }
        assert!(mistake(&format!("y = a{}", " + a".repeat(100_000))).contains("too long"));
    }
}
