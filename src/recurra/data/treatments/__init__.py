"""What is done to data before a network reads them, learned from the training part alone."""

from recurra.data.treatments.preprocessor import Preprocessor
from recurra.data.treatments.treatment import Learned, StreamTreatment, Treatment

__all__ = ["Learned", "Preprocessor", "StreamTreatment", "Treatment"]
