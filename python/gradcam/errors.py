"""Exceptions. Each is one line that says what failed, where, and what to do."""


class GradcamError(Exception):
    """Whatever this package raises, but for wrong types."""


class RequestError(GradcamError, ValueError):
    """A request contradicts itself or the model."""


class UnknownNameError(RequestError):
    """No layer, class, method, model or device has this name."""


class PictureError(GradcamError, ValueError):
    """A picture is damaged, too large, or of an unsupported kind."""


class WeightsError(GradcamError, ValueError):
    """A model's file, or its tensors, cannot be used."""


class GraphError(GradcamError, ValueError):
    """The network cannot be built for this input."""


class ReadError(GradcamError, OSError):
    """A file cannot be read."""


class WriteError(GradcamError, OSError):
    """A file cannot be written."""


class DeviceError(GradcamError, RuntimeError):
    """The device refused to work."""


class NoAdapterError(DeviceError):
    """There is no graphics adapter."""


class DeviceLostError(DeviceError):
    """The device is gone. Open the model again."""


class TimedOutError(DeviceError, TimeoutError):
    """The device did not answer in time."""


class DeviceMemoryError(DeviceError, MemoryError):
    """The device has too little memory."""


class MemoryLimitError(GradcamError, MemoryError):
    """The system, or the limit that was set, leaves too little memory."""


class NonFiniteError(GradcamError, ArithmeticError):
    """The scores or the map contain infinities or NaNs."""


class AssumptionWarning(UserWarning):
    """Something about a model was assumed."""
