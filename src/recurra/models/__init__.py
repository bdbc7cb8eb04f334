"""Inputs, recurrent stack, head and loss, joined into networks that train and forecast."""

from recurra.models.batch import Batch, Inputs
from recurra.models.crf import CRF
from recurra.models.forecast_network import ForecastNetwork, Origin, roll_out, take_state
from recurra.models.heads import HEADS, Gaussian, Head, NegativeBinomial, StudentT
from recurra.models.history import History, LocalFeatures, Pace, View
from recurra.models.language_batch import UNCOUNTED, LanguageBatch
from recurra.models.language_network import LanguageNetwork, LanguagePlan, LanguageState
from recurra.models.network_plan import Answer, Front, Input, NetworkPlan
from recurra.models.pooling import POOLINGS
from recurra.models.records import RecordBatch, StreamBatch
from recurra.models.sequence_network import SequenceNetwork
from recurra.models.tagging_network import TaggingNetwork
from recurra.models.transcription_network import TranscriptionNetwork, TranscriptionPlan

__all__ = [
    "CRF",
    "HEADS",
    "POOLINGS",
    "UNCOUNTED",
    "Answer",
    "Batch",
    "ForecastNetwork",
    "Front",
    "Gaussian",
    "Head",
    "History",
    "Input",
    "Inputs",
    "LanguageBatch",
    "LanguageNetwork",
    "LanguagePlan",
    "LanguageState",
    "LocalFeatures",
    "NegativeBinomial",
    "NetworkPlan",
    "Origin",
    "Pace",
    "RecordBatch",
    "SequenceNetwork",
    "StreamBatch",
    "StudentT",
    "TaggingNetwork",
    "TranscriptionNetwork",
    "TranscriptionPlan",
    "View",
    "roll_out",
    "take_state",
]
