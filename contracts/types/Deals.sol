// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

struct Account {
    uint256 stake;
    uint256 locked;
}

struct Category {
    string name;
    string description;
    uint256 workClockTimeRef;
}

struct Resource {
    address pointer;
    address owner;
    uint256 price;
}

struct Deal {
    Resource app;
    Resource dataset;
    Resource workerpool;
    uint256 trust;
    uint256 category;
    bytes32 tag;
    address requester;
    address beneficiary;
    address callback;
    string params;
    uint256 startTime;
    uint256 botFirst;
    uint256 botSize;
    uint256 workerStake;
    uint256 schedulerRewardRatio;
    address sponsor;
}

enum TaskStatus {
    UNSET,
    ACTIVE,
    REVEALING,
    COMPLETED,
    FAILED
}

struct Task {
    TaskStatus status;
    bytes32 dealid;
    uint256 idx;
    uint256 timeref;
    uint256 contributionDeadline;
    uint256 revealDeadline;
    uint256 finalDeadline;
    bytes32 consensusValue;
    uint256 revealCounter;
    uint256 winnerCounter;
    address[] contributors;
    bytes32 resultDigest;
    bytes results;
    uint256 resultsTimestamp;
    bytes resultsCallback;
}

enum ContributionStatus {
    UNSET,
    CONTRIBUTED,
    PROVED,
    REJECTED
}

struct Contribution {
    ContributionStatus status;
    bytes32 resultHash;
    bytes32 resultSeal;
    address enclaveChallenge;
    uint256 weight;
}

/// @dev What one worker hands in for one task of a deal.
struct Settlement {
    uint256 idx;
    address worker;
    bytes32 outputDigest;
    bytes results;
    bytes resultsCallback;
    address enclaveChallenge;
    bytes enclaveSign;
    bytes authorizationSign;
}

struct AppInfo {
    address owner;
    string m_appName;
    string m_appType;
    bytes m_appMultiaddr;
    bytes32 m_appChecksum;
    bytes m_appMREnclave;
}

struct DatasetInfo {
    address owner;
    string m_datasetName;
    bytes m_datasetMultiaddr;
    bytes32 m_datasetChecksum;
}

struct WorkerpoolInfo {
    address owner;
    string m_workerpoolDescription;
    uint256 m_workerStakeRatioPolicy;
    uint256 m_schedulerRewardRatioPolicy;
}
