//! The Python names this crate reads, interned once when the extension loads.
//!
//! [`Name::object`] is a plain load; the strings live as long as the process.
use std::ffi::CStr;
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::ffi::{Obj, Ref, Res};

macro_rules! names {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// An interned Python string, called as it is spelled.
        #[allow(
            non_camel_case_types,
            non_upper_case_globals,
            clippy::upper_case_acronyms,
            clippy::enum_variant_names,
            dead_code,
            reason = "spelled as Python spells them; which are read depends on the version"
        )]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum Name { $($variant),* }

        const TEXTS: &[&CStr] = &[$($text),*];
        const NAMES: &[Name] = &[$(Name::$variant),*];
    };
}

names! {
    // LogRecord, in the order its constructor sets them
    name = c"name", msg = c"msg", args = c"args", levelname = c"levelname", levelno = c"levelno", pathname = c"pathname",
    filename = c"filename", module = c"module", exc_info = c"exc_info", exc_text = c"exc_text", stack_info = c"stack_info",
    lineno = c"lineno", funcName = c"funcName", created = c"created", msecs = c"msecs", relativeCreated = c"relativeCreated",
    thread = c"thread", threadName = c"threadName", processName = c"processName", process = c"process",
    taskName = c"taskName", message = c"message", asctime = c"asctime",
    // attributes of loggers, handlers, formatters, styles, filters, adapters, managers
    level = c"level", parent = c"parent", propagate = c"propagate", handlers = c"handlers", filters = c"filters",
    disabled = c"disabled", _cache = c"_cache", manager = c"manager", formatter = c"formatter", lock = c"lock",
    stream = c"stream", terminator = c"terminator", _fmt = c"_fmt", _style = c"_style", _defaults = c"_defaults",
    _tpl = c"_tpl", datefmt = c"datefmt", _name = c"_name", _closed = c"_closed", nlen = c"nlen", linefmt = c"linefmt",
    logger = c"logger", extra = c"extra", merge_extra = c"merge_extra", root = c"root", loggerDict = c"loggerDict",
    loggerClass = c"loggerClass", logRecordFactory = c"logRecordFactory", loggerMap = c"loggerMap", _disable = c"_disable",
    emittedNoHandlerWarning = c"emittedNoHandlerWarning", baseFilename = c"baseFilename", mode = c"mode",
    encoding = c"encoding", errors = c"errors", delay = c"delay", _builtin_open = c"_builtin_open",
    maxBytes = c"maxBytes", rolloverAt = c"rolloverAt", buffer = c"buffer",
    capacity = c"capacity", flushLevel = c"flushLevel", target = c"target", flushOnClose = c"flushOnClose", queue = c"queue",
    dev = c"dev", ino = c"ino", default_time_format = c"default_time_format",
    default_msec_format = c"default_msec_format", default_format = c"default_format", asctime_search = c"asctime_search",
    validation_pattern = c"validation_pattern",
    // methods of the logging classes
    warning = c"warning", warn = c"warn", error = c"error", exception = c"exception",
    critical = c"critical", log = c"log", isEnabledFor = c"isEnabledFor", _log = c"_log",
    findCaller = c"findCaller", makeRecord = c"makeRecord", handle = c"handle", callHandlers = c"callHandlers",
    filter = c"filter", getEffectiveLevel = c"getEffectiveLevel", _clear_cache = c"_clear_cache", getLogger = c"getLogger",
    _fixupParents = c"_fixupParents", _fixupChildren = c"_fixupChildren", acquire = c"acquire", release = c"release",
    emit = c"emit", format = c"format", flush = c"flush", close = c"close", handleError = c"handleError",
    createLock = c"createLock", formatTime = c"formatTime", formatMessage = c"formatMessage", usesTime = c"usesTime",
    formatException = c"formatException", formatStack = c"formatStack", converter = c"converter", _format = c"_format",
    getMessage = c"getMessage", process_ = c"process", _open = c"_open",
    shouldRollover = c"shouldRollover", doRollover = c"doRollover", shouldFlush = c"shouldFlush", prepare = c"prepare",
    enqueue = c"enqueue", put_nowait = c"put_nowait", reopenIfNeeded = c"reopenIfNeeded", _statstream = c"_statstream",
    formatHeader = c"formatHeader", formatFooter = c"formatFooter", get_name = c"get_name",
    setLevel = c"setLevel", hasHandlers = c"hasHandlers", setFormatter = c"setFormatter", addHandler = c"addHandler",
    removeHandler = c"removeHandler",
    currentframe = c"currentframe",
    // asynchronous handlers
    _femtolog_pipeline = c"_femtolog_pipeline", worker = c"worker", start = c"start", make_room = c"make_room", warn_of_drops = c"warn_of_drops",
    // those that send frames
    _sender = c"_sender", _told = c"_told", _items = c"_items",
    // the logging module's globals
    raiseExceptions = c"raiseExceptions", lastResort = c"lastResort", logThreads = c"logThreads",
    logMultiprocessing = c"logMultiprocessing", logProcesses = c"logProcesses", logAsyncioTasks = c"logAsyncioTasks",
    _srcfile = c"_srcfile", _logRecordFactory = c"_logRecordFactory", _levelToName = c"_levelToName",
    _nameToLevel = c"_nameToLevel", _defaultFormatter = c"_defaultFormatter", _lock = c"_lock", _STYLES = c"_STYLES",
    _handlers = c"_handlers", _handlerList = c"_handlerList", _loggerClass = c"_loggerClass", _startTime = c"_startTime",
    _is_internal_frame = c"_is_internal_frame", getLevelName = c"getLevelName", _checkLevel = c"_checkLevel",
    _acquireLock = c"_acquireLock", _releaseLock = c"_releaseLock", basicConfig = c"basicConfig",
    _addHandlerRef = c"_addHandlerRef", _register_at_fork_reinit_lock = c"_register_at_fork_reinit_lock",
    LogRecord = c"LogRecord", Logger = c"Logger", Handler = c"Handler", Filterer = c"Filterer", Formatter = c"Formatter",
    PlaceHolder = c"PlaceHolder", StreamHandler = c"StreamHandler", FileHandler = c"FileHandler",

    ERROR = c"ERROR", NOTSET = c"NOTSET",
    os = c"os", sys = c"sys", io = c"io", time = c"time", traceback = c"traceback", threading = c"threading",
    warnings = c"warnings", collections = c"collections", __path__ = c"__path__", Template = c"Template",
    debug = c"debug",
    info = c"info",
    fatal = c"fatal",
    DEBUG = c"DEBUG",
    INFO = c"INFO",
    WARNING = c"WARNING",
    CRITICAL = c"CRITICAL",
    // everything else
    sinfo = c"sinfo", stacklevel = c"stacklevel", disable = c"disable", func = c"func", fn_ = c"fn", lno = c"lno", record = c"record",
    self_ = c"self", suffix = c"suffix", hdlr = c"hdlr", fmt = c"fmt", defaults = c"defaults",
    style = c"style", ei = c"ei", records = c"records", klass = c"klass", factory = c"factory", levelName = c"levelName",
    alogger = c"alogger", ph = c"ph", rootnode = c"rootnode", value = c"value", dict = c"dict", handlerList = c"handlerList",
    kwargs = c"kwargs", capture = c"capture", force = c"force", frame = c"frame", wr = c"wr", handler = c"handler",
    instance = c"instance", line = c"line", category = c"category", file = c"file", limit = c"limit",
    write = c"write", write_through = c"write_through", line_buffering = c"line_buffering", getvalue = c"getvalue", print_exception = c"print_exception", print_stack = c"print_stack",
    StringIO = c"StringIO", stderr = c"stderr", modules = c"modules", time_ns = c"time_ns",
    strftime = c"strftime", get_ident = c"get_ident",
    current_thread = c"current_thread", _active = c"_active", getpid = c"getpid", path = c"path", basename = c"basename",
    splitext = c"splitext", normcase = c"normcase", dirname = c"dirname", multiprocessing = c"multiprocessing",
    MainProcess = c"MainProcess", asyncio = c"asyncio", current_process = c"current_process", _current_process = c"_current_process",
    multiprocessing_process = c"multiprocessing.process", current_task = c"current_task",
    __dict__ = c"__dict__", __class__ = c"__class__", __name__ = c"__name__", __init__ = c"__init__",
    __traceback__ = c"__traceback__", __enter__ = c"__enter__", __exit__ = c"__exit__", __reduce__ = c"__reduce__",
    __code__ = c"__code__", co_qualname = c"co_qualname", BaseProcess = c"BaseProcess", __qualname__ = c"__qualname__", __module__ = c"__module__",
    co_filename = c"co_filename", co_name = c"co_name", co_names = c"co_names", co_flags = c"co_flags",
    co_varnames = c"co_varnames", co_argcount = c"co_argcount", co_kwonlyargcount = c"co_kwonlyargcount", f_locals = c"f_locals",
    f_back = c"f_back", f_code = c"f_code", tb_frame = c"tb_frame", substitute = c"substitute",
    keys = c"keys", get = c"get", copy = c"copy", clear = c"clear", append = c"append", remove = c"remove",
    find = c"find", rfind = c"rfind", values = c"values", update = c"update", seek = c"seek", tell = c"tell", exists = c"exists",
    isfile = c"isfile", fileno = c"fileno", abc = c"abc", Mapping = c"Mapping", RLock = c"RLock", abspath = c"abspath",
    fspath = c"fspath", text_encoding = c"text_encoding", _get_running_loop = c"_get_running_loop",
    _set_running_loop = c"_set_running_loop", running_loop = c"__asyncio_running_event_loop__",
    // logging.handlers
    logging = c"logging", BufferingHandler = c"BufferingHandler", computeRollover = c"computeRollover",
    __getnewargs__ = c"__getnewargs__", __getnewargs_ex__ = c"__getnewargs_ex__", _copy_dispatch = c"_copy_dispatch",
    __bool__ = c"__bool__", __len__ = c"__len__", namer = c"namer", rotator = c"rotator", rename = c"rename", source = c"source", dest = c"dest",
    default_name = c"default_name", fstat = c"fstat", st_dev = c"st_dev", st_ino = c"st_ino", ST_DEV = c"ST_DEV",
    ST_INO = c"ST_INO", UnsupportedOperation = c"UnsupportedOperation", block = c"block",
    respect_handler_level = c"respect_handler_level", _sentinel = c"_sentinel", __copy__ = c"__copy__",
    __reduce_ex__ = c"__reduce_ex__", __getstate__ = c"__getstate__", __setstate__ = c"__setstate__",
    dispatch_table = c"dispatch_table",
    _initialized = c"_initialized", template = c"template", PicklingError = c"PicklingError", search = c"search", stat = c"stat",
    // cold methods and functions
    _at_fork_reinit = c"_at_fork_reinit", _at_fork_reinit_lock_weakset = c"_at_fork_reinit_lock_weakset", __builtins__ = c"__builtins__",
    __closure__ = c"__closure__", __defaults__ = c"__defaults__", _removeHandlerRef = c"_removeHandlerRef", _showwarning = c"_showwarning",
    _str_formatter = c"_str_formatter", _warnings_showwarning = c"_warnings_showwarning", NullHandler = c"NullHandler", add = c"add",
    cell_contents = c"cell_contents", co_consts = c"co_consts", count = c"count", field_spec = c"field_spec", filemode = c"filemode",
    finditer = c"finditer", flags = c"flags", fmt_spec = c"fmt_spec", formatwarning = c"formatwarning", group = c"group",
    groupdict = c"groupdict", match_ = c"match", open = c"open", optimize = c"optimize", parse = c"parse", pattern = c"pattern",
    ref_ = c"ref", showwarning = c"showwarning", warn_default_encoding = c"warn_default_encoding", weakref = c"weakref",
    // traceback and linecache
    __notes__ = c"__notes__", __cause__ = c"__cause__", __context__ = c"__context__",
    __suppress_context__ = c"__suppress_context__", __wrapped__ = c"__wrapped__", __bases__ = c"__bases__", __func__ = c"__func__", fget = c"fget", fset = c"fset", fdel = c"fdel",
    _cause_message = c"_cause_message", _context_message = c"_context_message", _RECURSIVE_CUTOFF = c"_RECURSIVE_CUTOFF",
    cache = c"cache", _interactive_cache = c"_interactive_cache", tracebacklimit = c"tracebacklimit", extract_tb = c"extract_tb",
    StackSummary = c"StackSummary", TracebackException = c"TracebackException", format_exception_only = c"format_exception_only",
    compact = c"compact", _seen = c"_seen", exceptions = c"exceptions", extract = c"extract", format_frame_summary = c"format_frame_summary",
    end_lineno = c"end_lineno", _line = c"_line", _lines = c"_lines", rstrip = c"rstrip", ast = c"ast", _colorize = c"_colorize", get_theme = c"get_theme", textwrap = c"textwrap", indent = c"indent", dedent = c"dedent",
    linecache = c"linecache", getlines = c"getlines", getline = c"getline", checkcache = c"checkcache", lazycache = c"lazycache",
}
/// How many names there are.
pub const COUNT: usize = TEXTS.len();

static HASHES: [AtomicIsize; TEXTS.len()] = [const { AtomicIsize::new(0) }; TEXTS.len()];

static OBJECTS: [AtomicPtr<ffi::PyObject>; TEXTS.len()] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; TEXTS.len()];

impl Name {
    /// The interned string.
    #[inline]
    pub fn object(self, py: Python<'_>) -> Ref<'static, '_> {
        crate::ffi::immortal(py, OBJECTS[self as usize].load(Ordering::Relaxed))
    }
    /// `hash(text)`
    #[inline]
    pub fn hash(self) -> isize {
        HASHES[self as usize].load(Ordering::Relaxed)
    }
    /// The name that is spelled so.
    pub fn of(text: &str) -> Option<Name> {
        NAMES.iter().copied().find(|name| name.text() == text)
    }
    /// The text, for messages and set-up.
    pub fn text(self) -> &'static str {
        TEXTS[self as usize].to_str().unwrap_or_default()
    }
}
/// Interns every name. Called once, before anything else of this crate runs.
pub fn intern(py: Python<'_>) -> Res<()> {
    for (slot, text) in OBJECTS.iter().zip(TEXTS) {
        let object = crate::ffi::interned_text(py, text.to_bytes())?;
        slot.store(object.into_ptr(), Ordering::Relaxed);
    }
    for (slot, object) in HASHES.iter().zip(&OBJECTS) {
        let object = crate::ffi::immortal(py, object.load(Ordering::Relaxed));
        slot.store(crate::ffi::hash(&object)?, Ordering::Relaxed);
    }
    Ok(())
}

impl Name {
    /// Is `object` this very string? Keyword names are interned, so identity nearly always answers.
    #[inline]
    pub fn is(self, object: &Obj<'_>) -> bool {
        object.as_ptr() == OBJECTS[self as usize].load(Ordering::Relaxed)
            // Bytes: a `CStr` would be looked through for UTF-8 each time, which takes 40 to 70 instructions.
            || crate::ffi::utf8(object)
                .is_some_and(|text| text.as_bytes() == TEXTS[self as usize].to_bytes())
    }
}
