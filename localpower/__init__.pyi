# The public names and where they live, for type checkers; __init__.py imports each when it is first used.

from . import testing as testing
from .api.chat import Chat as Chat
from .api.compare import Report as Report
from .api.compare import compare as compare
from .api.eval_answer import EvalAnswer as EvalAnswer
from .api.evaluate import EvalRun as EvalRun
from .api.evaluate import evaluate as evaluate
from .api.export import Exported as Exported
from .api.export import export as export
from .api.listing import AnswerList as AnswerList
from .api.listing import Bounds as Bounds
from .api.listing import ListedAnswer as ListedAnswer
from .api.listing import list_answers as list_answers
from .api.model import Model as Model
from .api.model import load as load
from .api.stream import Stream as Stream
from .errors import EngineError as EngineError
from .errors import ModelError as ModelError
from .errors import UsageProblem as UsageProblem
from .errors import UserError as UserError
from .evals.task import Task as Task
from .events import Adopted as Adopted
from .events import Chosen as Chosen
from .events import Event as Event
from .events import Extended as Extended
from .events import Finished as Finished
from .events import Looked as Looked
from .events import Planned as Planned
from .events import Resampled as Resampled
from .events import Started as Started
from .events import Stepped as Stepped
from .loaded import ModelInfo as ModelInfo
from .methods import Expert as Expert
from .methods import Method as Method
from .methods import Target as Target
from .methods import setting as setting
from .registry import register as register
from .runs.answer import Answer as Answer
from .samplers.ancestral import Base as Base
from .samplers.ancestral import LowTemperature as LowTemperature
from .samplers.best_of_n import BestOfN as BestOfN
from .samplers.lookahead import Lookahead as Lookahead
from .samplers.mh import Power as Power
from .samplers.project import Project as Project
from .samplers.smc import SMC as SMC
from .tools.environment import Environment as Environment
from .tools.environment import Tool as Tool
from .tools.names import open_tools as open_tools
from .tools.report import TraceReport as TraceReport
from .tools.use import ToolUse as ToolUse
from .toy import ToyModel as ToyModel
from .toy import power_law as power_law

__version__: str
__all__: list[str]
