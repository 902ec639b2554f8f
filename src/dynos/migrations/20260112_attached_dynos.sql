-- One-off dynos that talk to a client. Their streams are control's: when control ends they lose
-- them, as they do when the client goes.
ALTER TABLE local_dynos ADD COLUMN attached INTEGER NOT NULL DEFAULT 0;
