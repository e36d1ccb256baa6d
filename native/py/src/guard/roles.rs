//! The methods of an object that a record passes, and the native implementations they have to be.
use crate::names::Name;
use crate::natives::Target;

/// What an object is on a record's way, and so which of its methods are run there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// From `info()` to `callHandlers`.
    Logger,
    /// A handler up to `emit`, whichever native one that is.
    Handler,
    /// A formatter, exceptions and stacks left out, which is true because its class does not say.
    Formatter,
    /// A style that formats by `%`.
    PercentStyle,
    /// A style that formats by `str.format`.
    BraceStyle,
    /// A style that formats by a template.
    TemplateStyle,
    /// A formatter as far as `Formatter.format` calls its methods, exceptions and stacks left out.
    FormatterSteps,
    /// A record that is formatted as `LogRecord` and nobody else says: see [`super::View::is_by`].
    PlainRecord,
    /// A record that shows what `LogRecord.__init__` has set: see [`super::View::is_by`].
    SettableRecord,
    /// A handler of a class that `enqueue()` has made: see [`super::View::is_by`].
    Asynchronous,
}

impl Role {
    const LOGGER: [(Name, &'static [Target]); 7] = [
        (Name::isEnabledFor, &[Target::LoggerIsEnabledFor]),
        (Name::_log, &[Target::LoggerLogLow]),
        (Name::findCaller, &[Target::LoggerFindCaller]),
        (Name::makeRecord, &[Target::LoggerMakeRecord]),
        (Name::handle, &[Target::LoggerHandle]),
        (Name::filter, &[Target::FiltererFilter]),
        (Name::callHandlers, &[Target::LoggerCallHandlers]),
    ];
    const HANDLER: [(Name, &'static [Target]); 4] = [
        (Name::handle, &[Target::HandlerHandle]),
        (Name::filter, &[Target::FiltererFilter]),
        (Name::acquire, &[Target::HandlerAcquire]),
        (Name::release, &[Target::HandlerRelease]),
    ];
    const FORMATTER_STEPS: [(Name, &'static [Target]); 3] = [
        (Name::usesTime, &[Target::FormatterUsesTime]),
        (Name::formatMessage, &[Target::FormatterFormatMessage]),
        (Name::formatTime, &[Target::FormatterFormatTime]),
    ];
    const FORMATTER: [(Name, &'static [Target]); 4] = [
        (Name::format, &[Target::FormatterFormat]),
        (Name::usesTime, &[Target::FormatterUsesTime]),
        (Name::formatMessage, &[Target::FormatterFormatMessage]),
        (Name::formatTime, &[Target::FormatterFormatTime]),
    ];

    const PERCENT_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::PercentFormat]),
        (Name::usesTime, &[Target::PercentUsesTime]),
    ];
    const BRACE_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::BraceFormat]),
        (Name::usesTime, &[Target::PercentUsesTime]),
    ];
    const TEMPLATE_STYLE: [(Name, &'static [Target]); 3] = [
        (Name::format, &[Target::StyleFormat]),
        (Name::_format, &[Target::TemplateFormat]),
        (Name::usesTime, &[Target::TemplateUsesTime]),
    ];

    /// Is such an object asked whether it is true, which has to run nothing?
    pub(super) const fn is_asked_for_truth(self) -> bool {
        matches!(self, Role::Formatter)
    }

    pub(super) const fn methods(self) -> &'static [(Name, &'static [Target])] {
        match self {
            Role::PercentStyle => &Self::PERCENT_STYLE,
            Role::BraceStyle => &Self::BRACE_STYLE,
            Role::TemplateStyle => &Self::TEMPLATE_STYLE,
            Role::Logger => &Self::LOGGER,
            Role::Handler => &Self::HANDLER,
            Role::Formatter => &Self::FORMATTER,
            Role::FormatterSteps => &Self::FORMATTER_STEPS,
            Role::PlainRecord | Role::SettableRecord | Role::Asynchronous => &[],
        }
    }
}
