//! The table of everything that has a native implementation: where it lives in `logging` and which Rust function runs it.
//!
//! One line per method. A name a running version does not have is skipped when binding. A line without a function is about a method
//! that stays the interpreter's: native code does what it would do, if it is the interpreter's own that stands there.
use crate::bind::{RawEntry, entrance};
use crate::call::Call;
use crate::ffi::{Obj, Ref, Res};
use crate::guard::Seen;

/// A native implementation.
pub type NativeFn = for<'a, 'py> fn(&Call<'a, 'py>) -> Res<Obj<'py>>;

/// The part of a native implementation that answers most calls of it: reads only, no reference taken (without a GIL one, to a
/// logger's cache), no panic. The whole function runs after it unless it has answered.
///
/// It is part of the entry point, which keeps no registers and nothing on the stack as long as it calls nothing. So it is told whether to
/// look `closely`; if not, what takes more than reads is [`Look::Closer`].
pub type FirstLook = for<'a, 'py> fn(&Call<'a, 'py>, closely: bool) -> Look<'a, 'py>;

/// What a [`FirstLook`] has found.
pub enum Look<'a, 'py> {
    /// The answer.
    Answer(Obj<'py>),
    /// The logger is enabled for the level the call is about ([`Call::enabled`]).
    Enabled(Seen),
    /// The logger has an `isEnabledFor` of somebody's own, to be asked for that level.
    Ask(Seen, Ref<'a, 'py>),
    /// Nothing yet: look closely.
    Closer,
    /// Nothing.
    Nothing,
}

/// Where a target is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// A function of `logging`.
    Logging,
    /// A method of this class of `logging`.
    Class(&'static str),
    /// A function of `logging.handlers`.
    #[allow(dead_code)]
    Handlers,
    /// A method of this class of `logging.handlers`.
    HandlersClass(&'static str),
    /// A function of `logging.config`.
    Config,
}

/// The modules whose functions and methods are bound, each when it is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Module {
    Logging,
    Handlers,
    Config,
}

impl Module {
    /// Its key in `sys.modules`.
    #[cfg(not(Py_3_12))]
    pub const fn name(self) -> &'static str {
        match self {
            Module::Logging => "logging",
            Module::Handlers => "logging.handlers",
            Module::Config => "logging.config",
        }
    }
}

impl Home {
    /// Does a call of it carry `self`?
    pub const fn is_class(self) -> bool {
        matches!(self, Home::Class(_) | Home::HandlersClass(_))
    }

    /// The module it is bound with.
    pub const fn module(self) -> Module {
        match self {
            Home::Logging | Home::Class(_) => Module::Logging,
            Home::Handlers | Home::HandlersClass(_) => Module::Handlers,
            Home::Config => Module::Config,
        }
    }
}

/// One native implementation, or a method that native code only knows, and its place.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its identity.
    pub target: Target,
    /// The class or module.
    pub home: Home,
    /// The attribute's name.
    pub name: &'static str,
    /// The Rust function; `None`: the interpreter's own body is never replaced, only known.
    pub run: Option<NativeFn>,
    /// What it looks at first, if most calls end there: part of the entry point itself.
    pub first: Option<FirstLook>,
}

impl Entry {
    /// "Logger.info", "getLevelName"
    pub fn full_name(&self) -> String {
        match self.home {
            Home::Class(class) | Home::HandlersClass(class) => format!("{class}.{}", self.name),
            Home::Logging | Home::Handlers | Home::Config => self.name.to_owned(),
        }
    }

    /// Is that its full name?
    pub fn is_called(&self, full_name: &str) -> bool {
        match self.home {
            Home::Class(class) | Home::HandlersClass(class) => full_name
                .strip_prefix(class)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == self.name),
            Home::Logging | Home::Handlers | Home::Config => full_name == self.name,
        }
    }
}

macro_rules! natives {
    ($($home:expr => { $($name:literal => $variant:ident $(, $run:path $(, first $first:path)?)?;)* })*) => {
        /// The identity of a line of the table.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(clippy::enum_variant_names, reason = "named after the method each stands for")]
        #[repr(u16)]
        pub enum Target {
            $($($variant,)*)*
            /// Not ours: an override, a patch, or something without a native implementation.
            Foreign,
        }

        /// How many lines there are.
        pub const COUNT: usize = Target::Foreign as usize;

        /// All of them, in the order of [`Target`].
        pub const TABLE: [Entry; COUNT] = [
            $($(Entry {
                target: Target::$variant,
                home: $home,
                name: $name,
                run: [$(Some($run as NativeFn),)? None][0],
                first: [$($(Some($first as FirstLook),)?)? None][0],
            },)*)*
        ];

        /// The C entry points of each that has a Rust function.
        pub static ENTRANCES: [Option<RawEntry>; COUNT] = [$($(entrance::<{ Target::$variant as usize }>(),)*)*];
    };
}

natives! {
    Home::Class("LogRecord") => {
        "__init__" => LogRecordInit, crate::record::init;
        "getMessage" => RecordGetMessage, crate::record::get_message;
    }
    Home::Class("PercentStyle") => {
        "usesTime" => PercentUsesTime, crate::format::style::percent_uses_time;
        "_format" => PercentFormat, crate::format::style::percent_format;
        "format" => StyleFormat, crate::format::style::format;
        "__init__" => PercentInit, crate::format::style::init;
        "validate" => PercentValidate, crate::format::style::percent_validate;
    }
    Home::Class("StrFormatStyle") => {
        "_format" => BraceFormat, crate::format::style::brace_format;
        "validate" => BraceValidate, crate::format::style::brace_validate;
    }
    Home::Class("StringTemplateStyle") => {
        "usesTime" => TemplateUsesTime, crate::format::style::template_uses_time;
        "_format" => TemplateFormat, crate::format::style::template_format;
        "validate" => TemplateValidate, crate::format::style::template_validate;
    }
    Home::Class("Formatter") => {
        "format" => FormatterFormat, crate::format::format;
        "formatTime" => FormatterFormatTime, crate::format::format_time;
        "formatException" => FormatterFormatException, crate::format::format_exception;
        "usesTime" => FormatterUsesTime, crate::format::uses_time;
        "formatMessage" => FormatterFormatMessage, crate::format::format_message;
        "formatStack" => FormatterFormatStack, crate::format::format_stack;
    }
    Home::Class("Filter") => {
        "__init__" => FilterInit, crate::filter::init;
        "filter" => FilterFilter, crate::filter::filter;
    }
    Home::Class("Filterer") => {
        "__init__" => FiltererInit, crate::filter::filterer_init;
        "addFilter" => FiltererAddFilter, crate::filter::add_filter;
        "removeFilter" => FiltererRemoveFilter, crate::filter::remove_filter;
        "filter" => FiltererFilter, crate::filter::filterer_filter;
    }
    Home::Class("Handler") => {
        "get_name" => HandlerGetName, crate::handler::get_name;
        "acquire" => HandlerAcquire;
        "release" => HandlerRelease;
        "setLevel" => HandlerSetLevel, crate::handler::set_level;
        "format" => HandlerFormat, crate::handler::format;
        "emit" => HandlerEmit, crate::handler::emit_missing;
        "handle" => HandlerHandle, crate::handler::handle;
        "flush" => HandlerFlush, crate::handler::flush;
        "handleError" => HandlerHandleError, crate::handler::error::handle_error;
        "__init__" => HandlerInit, crate::handler::init;
        "set_name" => HandlerSetName, crate::handler::set_name;
        "createLock" => HandlerCreateLock, crate::handler::create_lock;
        "_at_fork_reinit" => HandlerAtForkReinit, crate::handler::at_fork_reinit;
        "close" => HandlerClose, crate::handler::close;
    }
    Home::Class("StreamHandler") => {
        "flush" => StreamFlush, crate::handler::stream::flush;
        "emit" => StreamEmit, crate::handler::stream::emit;
        "__init__" => StreamInit, crate::handler::stream::init;
        "setStream" => StreamSetStream, crate::handler::stream::set_stream;
    }
    Home::Class("FileHandler") => {
        "emit" => FileEmit, crate::handler::file::emit;
        "__init__" => FileInit, crate::handler::file::init;
        "close" => FileClose, crate::handler::file::close;
        "_open" => FileOpen, crate::handler::file::open;
    }
    Home::Class("NullHandler") => {
        "handle" => NullHandle, crate::handler::nothing;
        "emit" => NullEmit, crate::handler::nothing;
        "createLock" => NullCreateLock, crate::handler::create_no_lock;
        "_at_fork_reinit" => NullAtForkReinit, crate::handler::no_lock_to_reinit;
    }
    Home::HandlersClass("BaseRotatingHandler") => {
        "emit" => RotatingEmit, crate::handler::rotating::emit;
        "rotation_filename" => RotationFilename, crate::handler::rotating::rotation_filename;
    }
    Home::HandlersClass("RotatingFileHandler") => {
        "shouldRollover" => SizeShouldRollover, crate::handler::rotating::should_rollover;
    }
    Home::HandlersClass("TimedRotatingFileHandler") => {
        "shouldRollover" => TimedShouldRollover, crate::handler::timed::should_rollover;
    }
    Home::HandlersClass("WatchedFileHandler") => {
        "_statstream" => WatchedStatStream;
        "reopenIfNeeded" => WatchedReopen, crate::handler::watched::reopen_if_needed;
        "emit" => WatchedEmit, crate::handler::watched::emit;
    }
    Home::HandlersClass("BufferingHandler") => {
        "shouldFlush" => BufferingShouldFlush, crate::handler::memory::buffering_should_flush;
        "emit" => BufferingEmit, crate::handler::memory::emit;
        "flush" => BufferingFlush, crate::handler::memory::buffering_flush;
        "close" => BufferingClose, crate::handler::memory::buffering_close;
    }
    Home::HandlersClass("MemoryHandler") => {
        "shouldFlush" => MemoryShouldFlush, crate::handler::memory::should_flush;
        "setTarget" => MemorySetTarget, crate::handler::memory::set_target;
        "flush" => MemoryFlush, crate::handler::memory::flush;
        "close" => MemoryClose, crate::handler::memory::close;
    }
    Home::HandlersClass("QueueHandler") => {
        "enqueue" => QueueEnqueue;
        "prepare" => QueuePrepare, crate::handler::queue::prepare;
        "emit" => QueueEmit, crate::handler::queue::emit;
    }
    Home::HandlersClass("QueueListener") => {
        "prepare" => ListenerPrepare, crate::handler::queue::listener_prepare;
        "handle" => ListenerHandle, crate::handler::queue::listener_handle;
    }
    Home::Class("Logger") => {
        "setLevel" => LoggerSetLevel, crate::logger::set_level;
        "debug" => LoggerDebug, crate::logger::debug, first crate::logger::first_look::debug;
        "info" => LoggerInfo, crate::logger::info, first crate::logger::first_look::info;
        "warning" => LoggerWarning, crate::logger::warning, first crate::logger::first_look::warning;
        "warn" => LoggerWarn, crate::logger::warn;
        "error" => LoggerError, crate::logger::error, first crate::logger::first_look::error;
        "exception" => LoggerException, crate::logger::exception;
        "critical" => LoggerCritical, crate::logger::critical, first crate::logger::first_look::critical;
        "fatal" => LoggerFatal, crate::logger::fatal;
        "log" => LoggerLog, crate::logger::log, first crate::logger::first_look::log;
        "findCaller" => LoggerFindCaller, crate::logger::find_caller_method;
        "makeRecord" => LoggerMakeRecord, crate::logger::make_record;
        "_log" => LoggerLogLow, crate::logger::log_low_method;
        "handle" => LoggerHandle, crate::logger::handle;
        "hasHandlers" => LoggerHasHandlers, crate::logger::has_handlers;
        "callHandlers" => LoggerCallHandlers, crate::logger::call_handlers;
        "getEffectiveLevel" => LoggerGetEffectiveLevel, crate::logger::get_effective_level;
        "isEnabledFor" => LoggerIsEnabledFor, crate::logger::is_enabled_for, first crate::logger::first_look::is_enabled_for;
        "addHandler" => LoggerAddHandler, crate::logger::add_handler;
        "removeHandler" => LoggerRemoveHandler, crate::logger::remove_handler;
        "getChild" => LoggerGetChild, crate::logger::get_child;
        "getChildren" => LoggerGetChildren, crate::logger::get_children;
        "__reduce__" => LoggerReduce, crate::logger::reduce;
    }
    Home::Class("BufferingFormatter") => {
        "__init__" => BufferingInit, crate::format::buffering::init;
        "formatHeader" => BufferingHeader, crate::format::buffering::empty;
        "formatFooter" => BufferingFooter, crate::format::buffering::empty;
        "format" => BufferingFormat, crate::format::buffering::format;
    }
    Home::Class("_StderrHandler") => {
        "__init__" => StderrInit, crate::handler::stream::stderr_init;
    }
    Home::Class("PlaceHolder") => {
        "__init__" => PlaceHolderInit, crate::manager::place_holder_init;
        "append" => PlaceHolderAppend, crate::manager::place_holder_append;
    }
    Home::Class("Manager") => {
        "__init__" => ManagerInit, crate::manager::init;
        "disable.fset" => ManagerSetDisable, crate::manager::set_disable;
        "getLogger" => ManagerGetLogger, crate::manager::get_logger;
        "setLoggerClass" => ManagerSetLoggerClass, crate::manager::set_logger_class;
        "setLogRecordFactory" => ManagerSetLogRecordFactory, crate::manager::set_record_factory;
        "_fixupParents" => ManagerFixupParents, crate::manager::fixup_parents;
        "_fixupChildren" => ManagerFixupChildren, crate::manager::fixup_children;
        "_clear_cache" => ManagerClearCache, crate::manager::clear_cache;
    }
    Home::Class("RootLogger") => {
        "__init__" => RootInit, crate::logger::root_init;
        "__reduce__" => RootReduce, crate::logger::root_reduce;
    }
    Home::Class("LoggerAdapter") => {
        "__init__" => AdapterInit, crate::adapter::init;
        "process" => AdapterProcess, crate::adapter::process;
        "debug" => AdapterDebug, crate::adapter::debug, first crate::adapter::first_look::debug;
        "info" => AdapterInfo, crate::adapter::info, first crate::adapter::first_look::info;
        "warning" => AdapterWarning, crate::adapter::warning, first crate::adapter::first_look::warning;
        "warn" => AdapterWarn, crate::adapter::warn;
        "error" => AdapterError, crate::adapter::error, first crate::adapter::first_look::error;
        "exception" => AdapterException, crate::adapter::exception;
        "critical" => AdapterCritical, crate::adapter::critical, first crate::adapter::first_look::critical;
        "log" => AdapterLog, crate::adapter::log;
        "isEnabledFor" => AdapterIsEnabledFor, crate::adapter::is_enabled_for, first crate::adapter::first_look::is_enabled_for;
        "setLevel" => AdapterSetLevel, crate::adapter::set_level;
        "getEffectiveLevel" => AdapterGetEffectiveLevel, crate::adapter::get_effective_level;
        "hasHandlers" => AdapterHasHandlers, crate::adapter::has_handlers;
        "_log" => AdapterLogLow, crate::adapter::log_low;
        "manager.fget" => AdapterManager, crate::adapter::manager;
        "manager.fset" => AdapterSetManager, crate::adapter::set_manager;
    }
    Home::Logging => {
        "getLevelName" => GetLevelName, crate::level::get_level_name;
        "_checkLevel" => CheckLevel, crate::level::check_level;
        "_is_internal_frame" => IsInternalFrame, crate::caller::is_internal_frame;
        "debug" => Debug, crate::functions::debug, first crate::functions::first_look::debug;
        "info" => Info, crate::functions::info, first crate::functions::first_look::info;
        "warning" => Warning, crate::functions::warning, first crate::functions::first_look::warning;
        "warn" => Warn, crate::functions::warn;
        "error" => Error, crate::functions::error, first crate::functions::first_look::error;
        "exception" => Exception, crate::functions::exception;
        "critical" => Critical, crate::functions::critical, first crate::functions::first_look::critical;
        "fatal" => Fatal, crate::functions::fatal;
        "log" => Log, crate::functions::log;
        "getLogger" => GetLogger, crate::functions::get_logger;
        "getLoggerClass" => GetLoggerClass, crate::functions::get_logger_class;
        "setLoggerClass" => SetLoggerClass, crate::functions::set_logger_class;
        "getLogRecordFactory" => GetLogRecordFactory, crate::functions::get_record_factory;
        "setLogRecordFactory" => SetLogRecordFactory, crate::functions::set_record_factory;
        "makeLogRecord" => MakeLogRecord, crate::functions::make_log_record;
        "addLevelName" => AddLevelName, crate::functions::add_level_name;
        "getLevelNamesMapping" => GetLevelNamesMapping, crate::functions::get_level_names_mapping;
        "disable" => Disable, crate::functions::disable;
        "_addHandlerRef" => AddHandlerRef, crate::functions::add_handler_ref;
        "_removeHandlerRef" => RemoveHandlerRef, crate::functions::remove_handler_ref;
        "shutdown" => Shutdown, crate::functions::shutdown;
        "_acquireLock" => AcquireLock, crate::functions::acquire_lock;
        "_releaseLock" => ReleaseLock, crate::functions::release_lock;
        "_prepareFork" => PrepareFork, crate::functions::prepare_fork;
        "_afterFork" => AfterFork, crate::functions::after_fork;
        "_register_at_fork_reinit_lock" => RegisterReinit, crate::functions::register_reinit;
        "_after_at_fork_child_reinit_locks" => ReinitLocks, crate::functions::reinit_locks;
        "_showwarning" => ShowWarning, crate::functions::show_warning;
        "basicConfig" => BasicConfig, crate::basic_config::basic_config;
    }
    Home::Config => {
        "_handle_existing_loggers" => HandleExistingLoggers, crate::disabling::handle_existing_loggers;
    }
}
