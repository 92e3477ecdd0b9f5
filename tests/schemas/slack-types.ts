// What is asked of Slack's own types, one name for each body that Slack sends to an app: see README.md.
import type * as bolt from "@slack/bolt";
import type * as types from "@slack/types";

export interface Envelope extends bolt.EnvelopedEvent<any> {}

export interface Payloads {
  slash_command: bolt.SlashCommand;
  block_actions: bolt.BlockAction;
  block_suggestion: bolt.BlockSuggestion;
  view_submission: bolt.ViewSubmitAction;
  view_closed: bolt.ViewClosedAction;
  shortcut: bolt.GlobalShortcut;
  message_action: bolt.MessageShortcut;
  event_callback: Envelope;
  app_mention: types.AppMentionEvent;
  message: types.GenericMessageEvent;
  message_changed: types.MessageChangedEvent;
  app_home_opened: types.AppHomeOpenedEvent;
  app_uninstalled: types.AppUninstalledEvent;
  tokens_revoked: types.TokensRevokedEvent;
  user_change: types.UserChangeEvent;
  team_access_granted: types.TeamAccessGrantedEvent;
  team_access_revoked: types.TeamAccessRevokedEvent;
  app_rate_limited: types.AppRateLimitedEvent;
}
