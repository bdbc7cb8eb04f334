"""Inputs, recurrent stack, head and loss, joined into networks that train and forecast."""

from recurra.models.forecasting.batch import Batch, Inputs
from recurra.models.forecasting.forecast_network import (
    ForecastNetwork,
    Origin,
    roll_out,
    take_state,
)
from recurra.models.forecasting.heads import HEADS, Gaussian, Head, NegativeBinomial, StudentT
from recurra.models.forecasting.history import History, LocalFeatures, Pace, View
from recurra.models.language.language_batch import UNCOUNTED, LanguageBatch
from recurra.models.language.language_network import LanguageNetwork, LanguagePlan, LanguageState
from recurra.models.records.adversarial import Adversarial
from recurra.models.records.crf import CRF
from recurra.models.records.network_plan import Answer, Front, Input, NetworkPlan
from recurra.models.records.pooling import POOLINGS
from recurra.models.records.records import RecordBatch, StreamBatch
from recurra.models.records.sequence_network import SequenceNetwork
from recurra.models.records.tagging_network import TaggingNetwork
from recurra.models.speech.transcription_network import TranscriptionNetwork, TranscriptionPlan

__all__ = [
    "CRF",
    "HEADS",
    "POOLINGS",
    "UNCOUNTED",
    "Adversarial",
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
